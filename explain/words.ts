import { backendsOf } from '../nginx/plan';
import { idempotentMethods } from '../nginx/routes/retry-section';
import type { LoggedRequest } from './logged-request';

/** `1 byte`, `388 bytes`. */
export function bytesText(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}

/** `0.021 s`; a time that the log does not have is some time. */
export function secondsText(seconds: number | undefined): string {
  return seconds === undefined ? 'some time' : `${seconds} s`;
}

/** Whether a method may be repeated though an instance has read it (RFC 9110, 9.2.2). */
export function isIdempotent(method: string): boolean {
  return (idempotentMethods as readonly string[]).includes(method);
}

/** What stands in a command for the namespace. */
export function inNamespace({ deployment }: LoggedRequest): string {
  return `--namespace ${deployment?.namespace ?? 'NAMESPACE'}`;
}

/** Of the backends that a request may have gone to, the first; their pods have its name. */
export function backendName({ routes }: LoggedRequest): string {
  return routes.flatMap(backendsOf)[0] ?? 'BACKEND';
}

/** The name of the proxy in a command. */
export function proxyName({ deployment }: LoggedRequest): string {
  return deployment?.name ?? 'PROXY';
}

/** A command that finds what the API has logged of it. */
export function apiLogCommand(request: LoggedRequest): string {
  const { requestId } = request.line;
  // As nginx takes one from a client: anything else needs no place in a command.
  const id = /^[\w.-]{1,128}$/.test(requestId) ? requestId : 'REQUEST-ID';
  return `kubectl logs ${inNamespace(request)} --selector app.kubernetes.io/instance=${backendName(request)} --prefix --tail=-1 | grep -e ${id}`;
}

/** A command that shows what nginx says beside its access log. */
export function errorLogCommand(request: LoggedRequest): string {
  return `kubectl logs ${inNamespace(request)} --selector app.kubernetes.io/instance=${proxyName(request)} --container nginx --tail=-1 | grep -v '^{'`;
}
