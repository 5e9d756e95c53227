import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { Health, Readiness } from './schemas.ts'

const timestamp = '2026-11-20T10:00:00.000Z'
const document = Type.Record(Type.String(), Type.Unknown())

export const health = defineOperation({
  operationId: 'system.health',
  method: 'GET',
  path: '/health',
  summary: 'Is the process alive?',
  access: 'public',
  rateLimit: 'none',
  responses: { 200: { description: 'It is', body: ref(Health), example: { status: 'healthy', timestamp, uptimeSeconds: 3600, environment: 'production' } } },
  errors: [],
})

export const ready = defineOperation({
  operationId: 'system.ready',
  method: 'GET',
  path: '/ready',
  summary: 'Can it serve?',
  description: 'Asks each dependency.',
  access: 'public',
  rateLimit: 'none',
  responses: {
    200: {
      description: 'It can',
      body: ref(Readiness),
      example: { status: 'ready', timestamp, services: { database: 'up', jobs: 'up', bus: 'up', storage: 'up' } },
    },
    503: {
      description: 'A dependency is down',
      body: ref(Readiness),
      example: { status: 'not_ready', timestamp, services: { database: 'down', jobs: 'down', bus: 'down', storage: 'up' } },
    },
  },
  errors: [],
})

export const metrics = defineOperation({
  operationId: 'system.metrics',
  method: 'GET',
  path: '/metrics',
  summary: 'Get metrics for Prometheus',
  access: 'public',
  rateLimit: 'none',
  responses: { 200: { description: 'The text format of Prometheus', body: Type.String(), contentType: 'text/plain', example: 'parley_sockets 3' } },
  errors: [],
})

export const openapiDocument = defineOperation({
  operationId: 'system.openapi',
  method: 'GET',
  path: '/openapi.json',
  summary: 'Get this contract',
  access: 'public',
  rateLimit: 'none',
  responses: { 200: { description: 'OpenAPI 3.1', body: document, example: { openapi: '3.1.0' } } },
  errors: [],
})

export const asyncapiDocument = defineOperation({
  operationId: 'system.asyncapi',
  method: 'GET',
  path: '/asyncapi.json',
  summary: 'Get the contract of the socket',
  access: 'public',
  rateLimit: 'none',
  responses: { 200: { description: 'AsyncAPI 3', body: document, example: { asyncapi: '3.0.0' } } },
  errors: [],
})

export const postmanCollection = defineOperation({
  operationId: 'system.postman',
  method: 'GET',
  path: '/docs/postman.json',
  summary: 'Get the collection for Postman',
  access: 'public',
  rateLimit: 'none',
  responses: { 200: { description: 'Postman collection 2.1', body: document, example: { info: { name: 'Parley' } } } },
  errors: [],
})
