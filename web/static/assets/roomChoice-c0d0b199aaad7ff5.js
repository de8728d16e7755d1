<<<<<<<< HEAD:web/static/assets/roomChoice-c0d0b199aaad7ff5.js
import{mn as e}from"./page-22726e798dbbe602.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
========
import{mn as e}from"./page-c7fdf26069f90925.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
>>>>>>>> 32020a2a (Draw the cross that empties a search in the colours of the page):web/static/assets/roomChoice-8a57f50eb6c1e72b.js
