/** Every kind of job, and what it needs to know. Jobs wait in the database across versions: add fields as optional ones. */
export interface JobData {
  /** `requestId` is a UUIDv7: it tells which of two requests is the later one. */
  'auth.mailCode': { email: string; requestId: string }
}

export type JobName = keyof JobData

export const jobNames: readonly JobName[] = ['auth.mailCode']
