import { aliceExample } from '../users/examples.ts'

export const tokenPairExample = {
  accessToken: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMTg5MGE1ZCJ9.signature',
  refreshToken: 'rt_2mHnGWTfrJ0V5b8Jc0vJ0g0w0yqQ2t3y4u5i6o7p8a9',
  expiresInSeconds: 900,
  refreshExpiresInSeconds: 604800,
  tokenType: 'Bearer',
  user: aliceExample,
}
