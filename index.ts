export {
  Autoscaler,
  type Autoscaling,
  type KedaOptions,
  PodDisruptionBudget,
  ScaledObject,
  ScalingMetric,
} from './charts/pods/autoscaling';
export { Backend } from './charts/backend';
export type { BackendProps, BackendResources, HealthCheckPaths } from './charts/backend-props';
export { Certificate, type CertificateFiles, type CertManagerIssuer, type ProxyTlsSecret } from './charts/certificate';
export {
  ExternalService,
  type ExternalLocalOptions,
  type ExternalServiceOptions,
  type ExternalUrlOptions,
} from './charts/external-service';
export {
  type ClusterIpOptions,
  Exposure,
  type LoadBalancerOptions,
  type NodePortOptions,
  type ProxyService,
} from './charts/exposure';
export { LoadBalancedApi, type LoadBalancedApiProps } from './charts/load-balanced-api';
export type { AlertOptions, Monitoring, MonitoringOptions, PodMonitorOptions } from './charts/monitoring';
export { type IpFamily, type NamespaceOptions, RestrictedNamespace } from './charts/namespace';
export type { NginxConfigMap, NginxDeployment } from './charts/nginx-deployment';
export { NginxProxy } from './charts/nginx-proxy';
export type { NginxProxyProps, ProxyResources } from './charts/nginx-proxy-props';
export type { PodNetworkPolicy } from './charts/pods/pod-network-policy';
export type { PodOptions, Spread, SpreadOptions } from './charts/pods/pod-options';
export type { Amounts } from './charts/pods/resources';
export type { RollingDeployment } from './charts/pods/rolling-deployment';
export type { IRouteTarget, Route } from './charts/route';
export {
  FixedResponse,
  type FixedResponseOptions,
  Redirect,
  type RedirectOptions,
  type Share,
  TrafficSplit,
  type TrafficSplitOptions,
} from './charts/route-targets';
export { type ImageFilesOptions, type LocalFiles, StaticFiles, type StaticFilesOptions } from './charts/static-files';
export type { HostOptions, VirtualHost } from './charts/virtual-host';
export type { Budget, BudgetProps } from './model/budget';
export {
  Auth,
  type AuthTarget,
  type BasicAuthOptions,
  type ExternalAuthOptions,
  type IAuthTarget,
  type JwtAlgorithm,
  type JwtAuthOptions,
} from './model/auth';
export type { AuthLocalOptions } from './model/auth-file';
export { Cors, type CorsOptions } from './model/cors';
export { ErrorPages, type ErrorStatus, type HtmlPages } from './model/error-pages';
export type { ProvedValue } from './model/headers';
export { Jwks, type JwksOptions, type PublicJwk } from './model/jwks';
export { LoadBalancing, RequestKey, type StickyCookieOptions } from './model/load-balancing';
export { Match, Path, Rewrite } from './model/matching';
export { type IMirrorTarget, Mirror, type MirrorOptions } from './model/mirror';
export type { ClientOptions, ProxyOptions, StrictTransportSecurity } from './model/proxy-options';
export { RateLimit, type RateLimitOptions } from './model/rate-limit';
export { ResponseCache, type ResponseCacheOptions } from './model/response-cache';
export type { MirrorModel, RouteBackend, TargetModel } from './model/route';
export { Snippet } from './model/snippet';
export { Retries, type RetryOptions, type RouteOptions } from './model/route-options';
export type { BackendTimes, NamespaceTimes, ProxyTimes, Timeline } from './model/timeline';
export type { Rate, RateText, SizeText, TimeText } from './validation/amounts';
export { InvalidOption, InvalidOptions } from './validation/invalid-option';
