<<<<<<<< HEAD:web/static/assets/roomChoice-b61ce0689d8ecf20.js
import{On as e}from"./page-16915d33aa5c7043.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
========
import{bn as e}from"./page-7e28c240734c5d68.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
>>>>>>>> 116f6c34 (Let fingers answer by a swipe, and Back close all on phones):web/static/assets/roomChoice-aec6d8622081ea1b.js
