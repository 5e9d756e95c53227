/**
 * The rule of the house: `routes → service → repository → db`, downward only; the contract and the SDK stand alone;
 * one feature knows of another no more than its service and how its entities are written as JSON.
 */
const routes = '^src/features/[^/]+/[a-z-]*routes\\.ts$'
const service = '^src/features/[^/]+/[a-z-]*service\\.ts$'
const serialize = '^src/features/[^/]+/[a-z-]*serialize\\.ts$'
const repository = '^src/features/[^/]+/[a-z-]*repository\\.ts$'
const transport = '^src/(http|realtime)/|^node_modules/(fastify|@fastify|ws|@types/ws)/'
const composition = '^src/(app\\.ts$|composition/)'
const test = '^tests/|\\.test\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'contract-stands-alone',
      comment: 'openapi/ is the source of everything else, so it imports nothing of it.',
      severity: 'error',
      from: { path: '^openapi/' },
      to: { path: '^(src|sdk|scripts|tests)/' },
    },
    {
      name: 'sdk-stands-alone',
      comment: 'sdk/ is published by itself: it knows the contract only by what is generated from it.',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { path: '^(src|openapi|scripts|tests)/' },
    },
    {
      name: 'sdk-has-no-dependencies',
      comment: 'The SDK runs in browsers and at the edge, on nothing but the platform.',
      severity: 'error',
      from: { path: '^sdk/src/', pathNot: test },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'server-stands-without-tools',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(scripts|tests|sdk)/' },
    },
    {
      name: 'no-development-dependencies-at-run-time',
      severity: 'error',
      from: { path: '^(src|openapi)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm'] },
    },
    {
      name: 'routes-only-from-app',
      comment: 'app.ts and composition/ compose; nobody else calls a route.',
      severity: 'error',
      from: { path: '^src/', pathNot: composition },
      to: { path: routes },
    },
    {
      name: 'routes-do-not-reach-below-services',
      comment: 'Types of rows are fine: serialization reads them.',
      severity: 'error',
      from: { path: [routes, serialize] },
      to: { path: ['^src/db/', repository], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'services-know-no-transport',
      comment:
        'Services and repositories know nothing of HTTP, sockets or JSON: they take commands and an actor, and return entities. Tokens are no transport.',
      severity: 'error',
      from: { path: '^src/features/', pathNot: [routes, serialize] },
      to: { path: [transport, routes, serialize], pathNot: '^node_modules/@fastify/jwt/' },
    },
    {
      name: 'repositories-do-not-look-up',
      severity: 'error',
      from: { path: repository },
      to: { path: service },
    },
    {
      name: 'repositories-stay-in-their-feature',
      comment: "A feature calls another feature's service, never its repository.",
      severity: 'error',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: repository, pathNot: '^src/features/$1/' },
    },
    {
      name: 'repositories-are-private',
      comment: 'Outside of features only the composition makes repositories.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/features/', composition] },
      to: { path: repository },
    },
    {
      name: 'features-meet-through-services',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: '^src/features/', pathNot: ['^src/features/$1/', service, serialize] },
    },
    {
      name: 'database-is-the-floor',
      severity: 'error',
      from: { path: '^src/db/' },
      to: { path: '^src/(features|http|realtime|jobs|integrations|composition|app\\.ts)' },
    },
    {
      name: 'http-knows-no-feature',
      comment: 'What it needs of a feature is passed in by app.ts.',
      severity: 'error',
      from: { path: '^src/http/' },
      to: { path: '^src/features/' },
    },
    {
      name: 'every-operation-is-published',
      comment: 'A module of operations that openapi/document.ts does not list is in no document.',
      severity: 'error',
      from: { path: '^openapi/document\\.ts$' },
      to: { path: '^openapi/[^/]+/[a-z-]*operations\\.ts$', reachable: false },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['\\.d\\.ts$', '\\.config\\.[cm]?[jt]s$', '^\\.', test, '^scripts/'] },
      to: {},
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'sdk/dist'] },
    exclude: { path: ['^sdk/dist/', '/\\.tap/', '^migrations/'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.d.ts', '.json'],
    },
  },
}
