<<<<<<<< HEAD:web/static/assets/PageTitle-96722424066f8c9c.js
import{A as e,Wn as t}from"./page-db64707b8837f445.js";import{n,t as r}from"./Page.module-13f7bf3c4536c74a.js";var i=e();function a({text:e}){let a=t(n);return(0,i.jsxs)(`div`,{className:r.heading,children:[(0,i.jsx)(`a`,{className:r.back,href:`#/`,"aria-label":a(`back`),children:(0,i.jsx)(`span`,{"aria-hidden":`true`,children:`‹`})}),(0,i.jsx)(`h1`,{className:r.title,children:e})]})}export{a as t};
========
import{A as e,Bn as t}from"./page-8ea5c0c4c14dd918.js";import{n,t as r}from"./Page.module-53447cf62a71c149.js";var i=e();function a({text:e}){let a=t(n);return(0,i.jsxs)(`div`,{className:r.heading,children:[(0,i.jsx)(`a`,{className:r.back,href:`#/`,"aria-label":a(`back`),children:(0,i.jsx)(`span`,{"aria-hidden":`true`,children:`‹`})}),(0,i.jsx)(`h1`,{className:r.title,children:e})]})}export{a as t};
>>>>>>>> cdb6a182 (Tell moderators at once of each case that changes):web/static/assets/PageTitle-ad8ab6d883c60cfe.js
