export { LoadBalancedApi } from './charts/load-balanced-api';
export type { LoadBalancedApiProps } from './charts/load-balanced-api-props';
export type { ContainerProps } from './charts/container';
export type { ProxyOptions } from './nginx/proxy';
export type { TimelineProps } from './model/timeline';
export type { Duration } from './validation/amounts';
export { InvalidOption, InvalidOptions } from './validation/invalid-option';
export type { Size } from './validation/amounts';
