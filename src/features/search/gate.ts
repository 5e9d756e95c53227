/** Only so many at once, so that searches leave connections to whatever else is asked. The others wait a little, in order. */
import { AppError } from '../../errors/app-error.ts'
import { createGate as createSharedGate } from '../../gate.ts'

export const createGate = (limits: { atOnce: number; waitMilliseconds: number }) =>
  createSharedGate({ ...limits, refusal: () => new AppError('unavailable', 'Too many search at the moment; try again shortly.', { retryAfterSeconds: 1 }) })
