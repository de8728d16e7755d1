<<<<<<<< HEAD:web/static/assets/roomChoice-d9e87d871f6f284a.js
import{hn as e}from"./page-5ca7085b4ceb9f27.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
========
import{hn as e}from"./page-85de89db3f37c7ee.js";var t=[`usual`,`all`,`mentions`,`nothing`];function n(e){return e??`usual`}function r(e){return e===`usual`?null:e}function i({muted_until:e},t){return e!==null&&e>t}function a(t,n,i,a){return{level:r(n),muted_until:i===`keep`?t.muted_until:e(i,a)}}export{r as a,n as i,a as n,i as r,t};
>>>>>>>> dc1aeffb (Keep who scrolls up as the list follows its end):web/static/assets/roomChoice-f19815b83d9bb5db.js
