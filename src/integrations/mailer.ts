import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport, type SendMailOptions } from 'nodemailer'
import { newId } from '../clock.ts'
import type { Log } from '../log.ts'

export interface Mail {
  /** One address. */
  to: string
  subject: string
  /** Plain text. */
  text: string
}

export interface Mailer {
  /** @throws when the mail was not accepted; sending it again is then right */
  send(mail: Mail): Promise<void>
}

interface Options {
  /** Undefined writes mails to files instead. */
  smtpUrl: string | undefined
  from: string
  dataDir: string
  log: Log
}

export const createMailer = ({ smtpUrl, from, dataDir, log }: Options): Mailer =>
  smtpUrl === undefined ? createFileMailer({ from, folder: join(dataDir, 'mail'), log }) : createSmtpMailer({ smtpUrl, from })

function createSmtpMailer({ smtpUrl, from }: { smtpUrl: string; from: string }): Mailer {
  const transport = createTransport({ url: smtpUrl, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 })
  return {
    async send(mail) {
      await transport.sendMail(toMessage(mail, from))
    },
  }
}

/** Files sort by time. The log names the file and not what is in it: logs travel further than the data folder. */
function createFileMailer({ from, folder, log }: { from: string; folder: string; log: Log }): Mailer {
  const transport = createTransport({ streamTransport: true, buffer: true })
  return {
    async send(mail) {
      const { message } = await transport.sendMail(toMessage(mail, from))
      if (!Buffer.isBuffer(message)) throw new Error('The mail was not composed')
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, `${newId()}.eml`)
      // Who watches the folder sees whole mails only.
      const draft = join(folder, `.${randomUUID()}`)
      await writeFile(draft, message, { mode: 0o600 })
      await rename(draft, path)
      log.info({ path, to: mail.to }, 'A mail was written to a file, because SMTP_URL is not set')
    },
  }
}

const toMessage = ({ to, subject, text }: Mail, from: string): SendMailOptions => ({
  from,
  // As an object it is one address, whatever is in it.
  to: { name: '', address: to },
  subject,
  text,
  headers: { 'Auto-Submitted': 'auto-generated' },
  disableFileAccess: true,
  disableUrlAccess: true,
})
