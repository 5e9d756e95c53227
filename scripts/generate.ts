/** `npm run generate`: writes what derives from the contract: its documents, and the SDK's types and methods. */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { contractDocuments } from './generate/documents.ts'

for (const [path, text] of Object.entries(await contractDocuments())) {
  writeFileSync(path, text)
  console.log(`wrote ${path}`)
}

const sdkGenerator = 'sdk/scripts/generate.ts'
if (existsSync(sdkGenerator)) process.exitCode = spawnSync(process.execPath, [sdkGenerator], { stdio: 'inherit' }).status ?? 1
