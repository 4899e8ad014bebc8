/** The entry for Node tools: what `index.ts` has, and the provider over node:crypto. */
export * from './index.ts'
export { nodeProvider } from './providers/node.ts'
