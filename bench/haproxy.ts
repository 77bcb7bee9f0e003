/** Where a HAProxy that is measured listens, and what it is made with. */
export interface HaproxyPlace {
  readonly port: number;
  readonly workers: number;
  readonly certificate: string;
  readonly upstream: number;
}

/** HAProxy as its own documentation begins: TLS, its log, the address of the client for the API. */
export function haproxyCfg(place: HaproxyPlace): string {
  return `${start(place)}  option httplog
${frontend(place)}  option forwardfor
  default_backend api
${backend(place)}`;
}

/**
 * HAProxy for the same job as fairlead, for a comparison of like with like: the hosts it answers, a limit for each client, a request id,
 * headers that clients cannot forge, those of answers, compression, retries and the same line of its log.
 */
export function haproxyCfgOfSameJob(place: HaproxyPlace): string {
  const forged = [
    ...['Forwarded', 'X-Forwarded-Prefix', 'X-Forwarded-Server', 'X-Original-URL', 'X-Rewrite-URL', 'Proxy'],
    ...['True-Client-IP', 'CF-Connecting-IP', 'X-Client-IP'],
  ];
  const data = `"default-src 'none'; frame-ancestors 'none'"`;
  const page = `"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"`;
  return `${start(place)}${frontend(place)}  http-request return status 421 unless { req.hdr(host),field(1,:) -m str localhost }
  stick-table type ipv6 size 10k expire 1m store conn_cur
  http-request track-sc0 src
  http-request deny deny_status 503 if { sc0_conn_cur gt 671 }
  http-request set-var(txn.id) uuid()
  http-request set-var(txn.id) req.hdr(x-request-id) if { req.hdr(x-request-id) -m reg ^[\\w.-]{1,128}$ }
  http-request set-header X-Request-Id %[var(txn.id)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port 443
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Real-IP %[src]
${forged.map((name) => `  http-request del-header ${name}\n`).join('')}  http-request del-header Upgrade unless { req.hdr(upgrade) -m str websocket }
  http-request set-var(txn.host) req.hdr(host),json(utf8ps)
  http-request set-var(txn.path) path,json(utf8ps)
  http-request set-var(txn.agent) req.hdr(user-agent),json(utf8ps)
  http-response del-header X-Powered-By
  http-response set-header X-Request-Id %[var(txn.id)]
  http-response set-header X-Content-Type-Options nosniff
  http-response set-var(txn.is_page) bool(true) if { res.hdr(content-type) -m beg -i text/html application/xhtml+xml }
  acl page var(txn.is_page) -m found
  http-response set-header Content-Security-Policy ${page} if page !{ res.hdr(content-security-policy) -m found }
  http-response set-header Content-Security-Policy ${data} if !page !{ res.hdr(content-security-policy) -m found }
  http-response set-header Referrer-Policy no-referrer if !page !{ res.hdr(referrer-policy) -m found }
  http-response set-header Referrer-Policy strict-origin-when-cross-origin if page !{ res.hdr(referrer-policy) -m found }
  http-response set-header Cross-Origin-Resource-Policy same-origin unless { res.hdr(cross-origin-resource-policy) -m found }
  filter compression
  compression algo gzip
  compression type application/javascript application/json application/xml text/css text/csv text/plain text/xml
  log-format '{"time":"%trl","request_id":"%[var(txn.id)]","client":"%ci","method":"%HM","host":"%[var(txn.host)]","path":"%[var(txn.path)]","protocol":"%HV","status":%ST,"bytes_sent":%B,"request_time":%Ta,"upstream_addr":"%si:%sp","retries":"%rc","upstream_header_time":%Tr,"upstream_response_time":%Td,"tls":"%sslv","user_agent":"%[var(txn.agent)]"}'
  default_backend api
${backend(place)}  balance leastconn
  retries 2
  option redispatch
  retry-on conn-failure empty-response response-timeout
`;
}

function start({ workers }: HaproxyPlace): string {
  return `global
  nbthread ${workers}
  log stdout format raw local0
defaults
  mode http
  log global
  timeout client 60s
  timeout server 60s
  timeout connect 2s
`;
}

function frontend({ port, certificate }: HaproxyPlace): string {
  return `frontend https
  bind 127.0.0.1:${port} ssl crt ${certificate} alpn h2,http/1.1
`;
}

function backend({ upstream }: HaproxyPlace): string {
  return `backend api
  http-reuse always
  server one 127.0.0.1:${upstream}
`;
}
