import { block, directive, Directive, heading, Node } from './directive';

/** Statuses that nginx itself answers with, and what RFC 9110 calls them. 494 is 431 to the client; 495 to 497 reach it as 400. */
const reasons: readonly (readonly [status: number, reason: string])[] = [
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [408, 'Request Timeout'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [416, 'Range Not Satisfiable'],
  [417, 'Expectation Failed'],
  [421, 'Misdirected Request'],
  [431, 'Request Header Fields Too Large'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [505, 'HTTP Version Not Supported'],
];

/** Where errors lead: answers with the status of the error. */
export const errorPath = '/.nginx-error';

export function errorSection(): Node[] {
  return [
    heading("nginx's own errors: JSON, as a client of an API expects"),
    block('types', [], 'the type of such an answer does not go by the ending of a path'),
    block('map $status $error_reason', [
      directive('default "Bad Request"'),
      ...reasons.map(([status, reason]) => directive(`${status} "${reason}"`)),
    ]),
  ];
}

/** In the server that forwards: the status stays, the body is JSON. Answers of backends are never touched. */
export function errorDirectives(): Node[] {
  return [...errorPages(), anyErrorLocation(errorPath, jsonAnswer)];
}

const json = directive('default_type application/json');
export const withStatus = 'with the status of the error';

/** What an error is without pages of its own. */
export const jsonAnswer: readonly Node[] = [json, directive(`return 200 '${errorBody('$error_reason')}'`, withStatus)];

/** Where errors lead by path, with what is said there. */
export function anyErrorLocation(path: string, answer: readonly Node[]): Directive {
  return block(`location = ${path}`, [
    directive('internal', 'no client asks for it'),
    directive('client_max_body_size 0', 'over HTTP/2 nginx would refuse the body here again, and answer 500'),
    ...answer,
  ]);
}

/** Which a location loses that has one of its own. */
export function errorPages(path = errorPath): Directive[] {
  const statuses = [400, ...reasons.map(([status]) => status), 495, 496, 497];
  return [
    directive(`error_page ${statuses.join(' ')} ${path}`),
    directive(`error_page 494 =431 ${path}`, 'what nginx calls a head that is too large'),
  ];
}

/** An error that has a named location: its name, status and reason, and what is said there beside the answer. */
export type NamedError = readonly [name: string, status: number, reason: string, more?: readonly Node[]];

/** A whole answer of nginx's own, from a location that an error led to. */
export function errorLocation(...[name, status, reason, more = []]: NamedError): Directive {
  return block(`location @${name}`, [json, ...more, directive(`return ${status} '${errorBody(reason)}'`)]);
}

/** The same shape as the errors of the example API. */
function errorBody(reason: string): string {
  return `{"error":"${reason}","requestId":"$accepted_request_id"}`;
}
