import { type Mover, option } from './chain';
import { figures } from './kubernetes-figures';
import { after, type Range, upTo } from './range';
import type { Timeline } from './timeline';

/** From a change of the ready pods until every proxy goes by it, and what moves that. */
export function discovery(timeline: Timeline): { readonly takes: Range; readonly movedBy: readonly Mover[] } {
  return {
    takes: after(figures.endpointSlices.range, upTo(timeline.discovery)),
    movedBy: [
      figures.endpointSlices,
      option('dnsCache', dnsCache(timeline)),
      option('resolverValid', timeline.resolverValid),
      figures.reResolve,
    ],
  };
}

/** What is left of the time that DNS and nginx take together. */
export function dnsCache({ discovery: whole, resolverValid }: Timeline): number {
  return whole - resolverValid - figures.reResolve.range.to;
}
