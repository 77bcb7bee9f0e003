import { block, directive, Directive, heading, Node } from '../directive';
import { isForwarded, Plan } from '../plan';
import { errorPagesSuffix } from './route-errors-section';

/** Methods that may be repeated though an instance has read them (RFC 9110, 9.2.2). */
export const idempotentMethods = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'] as const;
const idempotent = `(${idempotentMethods.join('|')})`;
/** $upstream_bytes_sent when nothing was sent to any instance: it has a 0 for each try. */
const nothingSent = '[0-]?([ ,:]+[0-])*';
/** The same when some was sent in two tries or more. */
const twoSent = '[^/]*[1-9][0-9]*[ ,:][^/]*[1-9][^/]*';

/**
 * What happens to a request that none of nginx's own tries got an answer for. Those end with "no live upstreams" when
 * DNS changed meanwhile (nginx/nginx#1656), although there are live instances. So it is tried once more if its method
 * is idempotent, or if nothing of it was sent yet; but not after two instances had it and the last one hung. If that
 * reaches no instance either, the fallback of its backend is asked, if it has one.
 *
 * nginx looks a map's variable up once a request: what is asked again after another try has a map of its own. $status
 * is 000 while nginx looks for the error page, so what happened is in $upstream_status.
 */
export function retrySection(plan: Plan): Node[] {
  const { backends, externalServices, routes } = plan;
  if (!routes.some(isForwarded)) return [];
  const pages = errorPagesSuffix(plan);
  return [
    heading('Retries beyond proxy_next_upstream, which finds no instance after a change in DNS (nginx#1656)'),
    block('map "$request_method $upstream_bytes_sent" $can_repeat', [
      directive('default no'),
      directive(`"~^${idempotent} " yes`, 'idempotent (RFC 9110, 9.2.2)'),
      directive(`"~^[^ ]+ ${nothingSent}$" yes`, 'nothing was sent to any instance'),
    ]),
    block('map "$can_repeat $upstream_bytes_sent/$upstream_status" $after_first_round', [
      directive(`default @bad_gateway${pages}`),
      directive(`"~^yes ${twoSent}/.*504$" @gateway_timeout${pages}`, 'two instances had it, and the last one hung'),
      directive('"~^yes " @again_$route'),
      directive(`"~504$" @gateway_timeout${pages}`),
    ]),
    ...(backends.some(({ fallback }) => fallback !== undefined) ? [fallbackAfter('$after_instances', pages)] : []),
    noMoreTries('$after_last_try', pages),
    ...(externalServices.length === 0 ? [] : [noExternalAnswer('$after_external', pages)]),
  ];
}

/** A try that hung is not followed by another: an instance is there, and the client has waited long enough. */
function fallbackAfter(variable: string, pages: string): Directive {
  return block(`map "$request_method $upstream_bytes_sent/$upstream_status" ${variable}`, [
    directive(`default @bad_gateway${pages}`),
    directive(`"~^[^ ]+ ${nothingSent}/" @fallback_$route`, 'nothing was sent to any instance'),
    directive(`"~^${idempotent} (.*[ ,:])?0/" @fallback_$route`, 'idempotent, and the last try reached nobody'),
    directive(`"~^${idempotent} .*502$" @fallback_$route`, 'idempotent, and its connection broke'),
    directive(`"~504$" @gateway_timeout${pages}`),
  ]);
}

function noMoreTries(variable: string, pages: string): Directive {
  return block(`map "$upstream_bytes_sent/$upstream_status" ${variable}`, [
    directive(`default @bad_gateway${pages}`),
    directive(`"~^${nothingSent}/" @unavailable${pages}`, 'no instance saw it: the client may try again'),
    directive(`"~504$" @gateway_timeout${pages}`),
  ]);
}

/** Nobody here can say that it is back within seconds, or that its certificate will be another one: never 503. */
function noExternalAnswer(variable: string, pages: string): Directive {
  return block(
    `map $upstream_status ${variable}`,
    [directive(`default @bad_gateway${pages}`), directive(`"~504$" @gateway_timeout${pages}`)],
    'an external service that is away, or is not who it should be',
  );
}
