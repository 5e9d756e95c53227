/** A real S3 server with a bucket of its own, on this machine: the Versity gateway over a temporary folder. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { findFreePort } from './process.ts'

/** Where `go install` puts it. */
const installed = join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin', 'versitygw')
const program = existsSync(installed) ? installed : 'versitygw'

/** CI installs it: there it may not be missing. */
export const s3IsMissing =
  process.env.CI === undefined &&
  spawnSync(program, ['--version']).error !== undefined &&
  'versitygw is not installed: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0'

export async function startS3(t: Pick<Test, 'teardown'>) {
  const folder = await mkdtemp(join(tmpdir(), 'parley-s3-'))
  const port = await findFreePort()
  const credentials = { accessKeyId: 'access', secretAccessKey: 'a secret of tests' }
  const args = ['--quiet', '--port', `127.0.0.1:${port}`, '--access', credentials.accessKeyId, '--secret', credentials.secretAccessKey]
  const gateway = spawn(program, [...args, 'posix', '--sidecar', await mkdtemp(join(folder, 'meta-')), await mkdtemp(join(folder, 'data-'))], {
    stdio: 'ignore',
  })
  t.teardown(async () => {
    const ended = once(gateway, 'exit')
    gateway.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  })
  const endpoint = `http://127.0.0.1:${port}`
  const client = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 })
  await eventuallyMade(client)
  return {
    env: envOf({ endpoint, ...credentials }),

    async keys(): Promise<string[]> {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'files' }))
      return Contents.map(({ Key = '' }) => Key).sort()
    },

    async unfinishedUploads(): Promise<number> {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'files' }))
      return Uploads.length
    },
  }
}

/** What speaks as S3 does, and answers what it is told to. @param answer the status and, for an error, S3's own name of it */
export async function startScriptedS3(t: Pick<Test, 'teardown'>, answer: (method: string | undefined) => readonly [status: number, error?: string]) {
  const gateway = createServer((request, response) => {
    const [status, error] = answer(request.method)
    request.resume().on('end', () => {
      const body = error === undefined ? '' : `<Error><Code>${error}</Code><Message>${error}</Message></Error>`
      response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length })
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  })
  await once(gateway.listen(0, '127.0.0.1'), 'listening')
  const stop = async (): Promise<void> => {
    gateway.closeAllConnections()
    await new Promise((resolve) => gateway.close(resolve))
  }
  t.teardown(stop)
  const address = gateway.address()
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const config = { bucket: 'files', endpoint, region: 'us-east-1', accessKeyId: 'access', secretAccessKey: 'secret', forcePathStyle: true }
  return { config, env: envOf(config), stop }
}

const envOf = ({ endpoint, accessKeyId, secretAccessKey }: { endpoint: string; accessKeyId: string; secretAccessKey: string }) => ({
  ...{ S3_BUCKET: 'files', S3_ENDPOINT: endpoint, S3_REGION: 'us-east-1', S3_FORCE_PATH_STYLE: 'true' },
  ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey },
})

async function eventuallyMade(client: S3Client): Promise<void> {
  for (;;) {
    const isMade = await client.send(new CreateBucketCommand({ Bucket: 'files' })).then(
      () => true,
      (error: Error & { code?: string }) => {
        if (error.code !== 'ECONNREFUSED') throw error
        return false
      },
    )
    if (isMade) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
