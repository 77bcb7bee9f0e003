export { LoadBalancedApi } from './charts/load-balanced-api';
export type { LoadBalancedApiProps } from './charts/load-balanced-api-props';
export type { ContainerProps } from './charts/container-props';
export type { ProxyOptions } from './nginx/proxy';
export type { TimelineProps } from './timeline/timeline';
export type { Duration } from './values/duration';
export { InvalidOption } from './values/invalid-option';
export type { Size } from './values/size';
