/**
 * The Postman collection, converted from the OpenAPI document. The converter invents ids and parameter values anew in every
 * run; here they become variables of the collection, so that the file is stable and a request is ready to be sent.
 */
import converter, { type Collection, type Item, type Parameter, type PostmanRequest, type PostmanResponse } from 'openapi-to-postmanv2'
import type { OpenApiDocument } from '../../openapi/document.ts'

const keepToken = [
  'const body = pm.response.headers.get("Content-Type")?.includes("json") ? pm.response.json() : {}',
  'if (body.accessToken) pm.collectionVariables.set("bearerToken", body.accessToken)',
]

export async function postmanCollection(document: OpenApiDocument): Promise<Collection> {
  const { item = [], info } = await convert(document)
  const items = item.map(stableItem)
  const variables = [...new Set(items.flatMap(pathVariables))].toSorted()
  return {
    info: { name: info.name, ...(info.description && { description: info.description }), schema: info.schema },
    item: items,
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: keepToken } }],
    variable: [{ key: 'baseUrl', value: 'http://localhost:3000' }, { key: 'bearerToken', value: '' }, ...variables.map((key) => ({ key, value: '' }))],
  }
}

function convert(document: OpenApiDocument): Promise<Collection> {
  // The converter writes into what it is given.
  const data = structuredClone({ ...document, servers: [{ url: 'http://localhost:3000' }] })
  const options = { folderStrategy: 'Tags', requestParametersResolution: 'Example', exampleParametersResolution: 'Example' }
  return new Promise((resolve, reject) => {
    converter.convert({ type: 'json', data }, options, (error, result) => {
      const collection = result?.output?.[0]?.data
      if (collection) resolve(collection)
      else reject(error ?? new Error(`No Postman collection: ${result?.reason}`))
    })
  })
}

function stableItem({ id: _, item, request, response, ...rest }: Item): Item {
  return {
    ...rest,
    ...(item && { item: item.map(stableItem) }),
    ...(request && { request: stableRequest(request) }),
    // Failures are the same everywhere and would be nine tenths of the file; the document describes them.
    ...(response && { response: response.filter(({ code }) => code < 300).map(stableResponse) }),
  }
}

const stableResponse = ({ id: _, originalRequest: _request, ...response }: PostmanResponse): PostmanResponse => response

function stableRequest({ url, header = [], ...request }: PostmanRequest): PostmanRequest {
  return {
    ...request,
    url: {
      ...url,
      query: url.query.map((parameter) => ({ ...parameter, value: '', ...(!parameter.description?.startsWith('(Required)') && { disabled: true }) })),
      variable: url.variable.map((parameter) => ({ ...parameter, value: `{{${parameter.key}}}` })),
    },
    header: header.map((parameter) => (parameter.key === 'Idempotency-Key' ? { ...parameter, value: '{{$guid}}', disabled: true } : parameter)),
  }
}

const pathVariables = ({ item = [], request }: Item): string[] => [
  ...item.flatMap(pathVariables),
  ...(request?.url.variable ?? []).map(({ key }: Parameter) => key),
]
