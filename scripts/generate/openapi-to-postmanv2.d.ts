/** The package brings no types: this is the part of it that is used here. */
declare module 'openapi-to-postmanv2' {
  export interface Parameter {
    key: string
    value: string
    description?: string
    disabled?: boolean
  }
  export interface PostmanRequest {
    url: { query: Parameter[]; variable: Parameter[]; path: string[]; host: string[] }
    header?: Parameter[]
    method: string
  }
  export interface PostmanResponse {
    id?: string
    code: number
    name: string
    originalRequest?: PostmanRequest
  }
  export interface Item {
    id?: string
    name: string
    item?: Item[]
    request?: PostmanRequest
    response?: PostmanResponse[]
  }
  export interface Collection {
    info: { name: string; schema: string; description?: object }
    item: Item[]
    event: { listen: string; script: { type: string; exec: string[] } }[]
    variable: { key: string; value: string }[]
  }
  interface Converter {
    convert(
      input: { type: 'json'; data: object },
      options: Record<string, unknown>,
      done: (error: Error | null, result?: { result: boolean; reason?: string; output?: { data: Collection }[] }) => void,
    ): void
  }
  const converter: Converter
  export default converter
}
