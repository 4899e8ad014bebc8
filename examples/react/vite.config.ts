import { defineConfig } from 'vite'

export default defineConfig({
  // The relay's own web server tells where the relay is.
  server: { proxy: { '/config.json': 'http://localhost:8080' } },
  worker: { format: 'es' },
  // Worker and worklet are found beside the library's entry.
  optimizeDeps: { exclude: ['sotto'] },
})
