<<<<<<<< HEAD:web/static/assets/Icon-31cf17cfb5879577.js
import{t as e}from"./icons-c3689d295d62a77f.js";import{t}from"./jsx-runtime-c10f9051098976cd.js";var n=t();function r({name:t,size:r=18}){return(0,n.jsx)(`svg`,{className:`icon`,viewBox:`0 0 24 24`,width:r,height:r,"aria-hidden":`true`,children:(0,n.jsx)(`path`,{d:e[t]})})}export{r as t};
========
import{t as e}from"./icons-a7baa4169be22ab6.js";import{t}from"./jsx-runtime-417900ea742e8234.js";var n=t();function r({name:t,size:r=18}){return(0,n.jsx)(`svg`,{className:`icon`,viewBox:`0 0 24 24`,width:r,height:r,"aria-hidden":`true`,children:(0,n.jsx)(`path`,{d:e[t]})})}export{r as t};
>>>>>>>> c26128ca (Tell what the server refuses in the language of the page):web/static/assets/Icon-cb69631780bbe25f.js
