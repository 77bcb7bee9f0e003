export { Autoscaler, type Autoscaling, PodDisruptionBudget, ScaledObject } from './charts/pods/autoscaling';
export { type KedaOptions, ScalingMetric } from './charts/pods/scaling-metric';
export { Backend } from './charts/backend';
export type { BackendProps, BackendResources } from './charts/backend-props';
export type { HealthCheckPaths } from './charts/health-check';
export {
  Certificate,
  type CertificateFiles,
  type CertManagerIssuer,
  type ProxyTlsSecret,
} from './charts/proxy/certificate';
export { ExternalService } from './charts/routes/external-service';
export type {
  ExternalLocalOptions,
  ExternalServiceOptions,
  ExternalUrlOptions,
} from './charts/routes/external-service-options';
export {
  type ClusterIpOptions,
  Exposure,
  type LoadBalancerOptions,
  type NodePortOptions,
  type ProxyService,
} from './charts/proxy/exposure';
export { LoadBalancedApi, type LoadBalancedApiProps } from './charts/load-balanced-api';
export type { Dashboard, DashboardOptions } from './charts/proxy/dashboard';
export type {
  AlertOptions,
  GrafanaDashboardOptions,
  Monitoring,
  MonitoringOptions,
  PodMonitorOptions,
} from './charts/proxy/monitoring';
export { type NamespaceOptions, RestrictedNamespace } from './charts/namespace';
export type { NginxConfigMap, NginxDeployment } from './charts/proxy/nginx-deployment';
export { NginxProxy } from './charts/proxy/nginx-proxy';
export type { NginxProxyProps, ProxyResources } from './charts/proxy/nginx-proxy-props';
export type { PodNetworkPolicy } from './charts/pods/pod-network-policy';
export type { PodOptions, Spread, SpreadOptions } from './charts/pods/pod-options';
export type { Amounts } from './charts/pods/resources';
export type { RollingDeployment } from './charts/pods/rolling-deployment';
export type { IRouteTarget, Route } from './charts/routes/route';
export {
  FixedResponse,
  type FixedResponseOptions,
  Redirect,
  type RedirectOptions,
  type Share,
  TrafficSplit,
  type TrafficSplitOptions,
} from './charts/routes/route-targets';
export {
  type ImageFilesOptions,
  type LocalFiles,
  StaticFiles,
  type StaticFilesOptions,
} from './charts/routes/static-files';
export type { HostOptions, VirtualHost } from './charts/routes/virtual-host';
export type { OmittableField } from './model/access-log/fields';
export { type AccessLogOptions, LogField, type LogFieldOptions, type LogSource } from './model/access-log/options';
export type { Budget } from './model/budget';
export type { BudgetProps } from './model/budget-options';
export { Auth } from './model/auth/auth';
export type { AuthLocalOptions } from './model/auth/auth-file';
export type { BasicAuthOptions } from './model/auth/basic';
export {
  CertificateAuthority,
  type CertificateAuthorityOptions,
  type ClientCertificateAuthOptions,
} from './model/auth/client-certificate';
export type { AuthTarget, ExternalAuthOptions, IAuthTarget, SignInOptions } from './model/auth/external';
export { Cors, type CorsOptions } from './model/routes/cors';
export { ErrorPages, type ErrorStatus, type HtmlPages } from './model/routes/error-pages';
export type { CertificatePart, ProvedValue } from './model/routes/headers';
export { Jwks, type JwksOptions, type PublicJwk } from './model/auth/jwks';
export type { JwtAlgorithm, JwtAuthOptions } from './model/auth/jwt';
export { LoadBalancing, RequestKey, type StickyCookieOptions } from './model/load-balancing';
export { Match, Path, Rewrite } from './model/routes/matching';
export { type IMirrorTarget, Mirror, type MirrorOptions } from './model/routes/mirror';
export type { ClientOptions, ProxyOptions, StrictTransportSecurity } from './model/proxy-options';
export { RateLimit, type RateLimitOptions } from './model/routes/rate-limit';
export { ResponseCache, type ResponseCacheOptions } from './model/routes/response-cache';
export type { MirrorModel, RouteBackend, TargetModel } from './model/routes/route';
export { Snippet } from './model/snippet';
export { Retries, type RetryOptions, type RouteOptions } from './model/routes/route-options';
export type { BackendTimes, NamespaceTimes, ProxyTimes, Timeline } from './model/timeline';
export type { TraceContextOptions, TracingOptions } from './model/traces';
export type { IpFamily } from './validation/addresses';
export type { Rate, RateText, SizeText, TimeText } from './validation/amounts';
export { InvalidOption, InvalidOptions } from './validation/invalid-option';
