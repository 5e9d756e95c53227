/** Fails when an entry of the package, minified and gzipped, is larger than its budget in bytes. */
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const budgets = { 'src/index.ts': 10_000, 'src/realtime/index.ts': 6_000 }

for (const [entry, limit] of Object.entries(budgets)) {
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false })
  const size = gzipSync(outputFiles[0]?.contents ?? '').length
  console.log(`${entry}: ${size} of ${limit} bytes gzipped`)
  if (size > limit) process.exitCode = 1
}
