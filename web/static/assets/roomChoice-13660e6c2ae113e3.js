<<<<<<<< HEAD:web/static/assets/roomChoice-db0708efc7576781.js
import{fn as e}from"./page-db64707b8837f445.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
========
import{an as e}from"./page-8ea5c0c4c14dd918.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
>>>>>>>> cdb6a182 (Tell moderators at once of each case that changes):web/static/assets/roomChoice-22c59f7dd25d11f1.js
