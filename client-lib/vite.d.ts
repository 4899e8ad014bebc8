/** A module bundled on its own, by its address (vite). */
declare module '*?worker&url' {
  const url: string
  export default url
}
