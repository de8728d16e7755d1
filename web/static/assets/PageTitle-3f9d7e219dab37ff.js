<<<<<<<< HEAD:web/static/assets/PageTitle-50c4f39d5d43e687.js
import{A as e,Jn as t}from"./page-5ca7085b4ceb9f27.js";import{n,t as r}from"./Page.module-d25db26292731753.js";var i=e();function a({text:e}){let a=t(n);return(0,i.jsxs)(`div`,{className:r.heading,children:[(0,i.jsx)(`a`,{className:r.back,href:`#/`,"aria-label":a(`back`),children:(0,i.jsx)(`span`,{"aria-hidden":`true`,children:`‹`})}),(0,i.jsx)(`h1`,{className:r.title,children:e})]})}export{a as t};
========
import{A as e,Jn as t}from"./page-85de89db3f37c7ee.js";import{n,t as r}from"./Page.module-79840f544274a1de.js";var i=e();function a({text:e}){let a=t(n);return(0,i.jsxs)(`div`,{className:r.heading,children:[(0,i.jsx)(`a`,{className:r.back,href:`#/`,"aria-label":a(`back`),children:(0,i.jsx)(`span`,{"aria-hidden":`true`,children:`‹`})}),(0,i.jsx)(`h1`,{className:r.title,children:e})]})}export{a as t};
>>>>>>>> dc1aeffb (Keep who scrolls up as the list follows its end):web/static/assets/PageTitle-3f9d7e219dab37ff.js
