<<<<<<<< HEAD:web/static/assets/roomChoice-43ac1cfab8a043ff.js
import{an as e}from"./page-3d0daf4aba7addd0.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
========
import{an as e}from"./page-70c7cfe834178445.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
>>>>>>>> 64ca812f (Leave the log-in page as it is when a late call finds no session):web/static/assets/roomChoice-7350e594e4b28c2c.js
