/**
 * The rate at which unhealthy nodes of a zone are evicted (upstream: ComputeZoneState and handleDisruption). If
 * many nodes fail at once, the cause is more likely the network than the nodes, so the rate is reduced. If all
 * nodes fail, the control plane is most likely cut off, and none is evicted.
 */

import type { Node } from '../../api/core/node/schema.ts';
import { readyOf } from './node-health.ts';

/** The state of a zone, by the share of its unhealthy nodes. */
export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption';

/** The number of nodes in a zone, without those excluded by label, and its state. */
export interface Zone {
	readonly size: number;
	readonly unhealthy: number;
	readonly state: ZoneState;
}

/** Evicted nodes per second: normally, and in a large zone with many unhealthy nodes. In a small one: none. */
const RATE = 0.1;
const REDUCED_RATE = 0.01;
const LARGE_ZONE = 50;

const UNHEALTHY_SHARE = 0.55;
const EXCLUSION_LABEL = 'node.kubernetes.io/exclude-disruption';

/** The zone of a node in the form of upstream's metrics; empty if the node has no zone labels. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
	const region =
		labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'];
	const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'];
	return region || zone ? `${region ?? ''}:\0:${zone ?? ''}` : '';
}

/** All zones, by name. */
export function zonesOf(nodes: readonly Node[]): ReadonlyMap<string, Zone> {
	const counted = nodes.filter(({ metadata }) => metadata.labels?.[EXCLUSION_LABEL] === undefined);
	const byZone = Map.groupBy(counted, zoneOf);
	return new Map([...byZone].map(([name, members]) => [name, judge(members)]));
}

function judge(nodes: readonly Node[]): Zone {
	const size = nodes.length;
	const unhealthy = nodes.filter((node) => readyOf(node)?.status !== 'True').length;
	const isPartial = unhealthy > 2 && unhealthy / size >= UNHEALTHY_SHARE;
	const state = unhealthy === size ? 'FullDisruption' : isPartial ? 'PartialDisruption' : 'Normal';
	return { size, unhealthy, state };
}

/** Whether all zones are fully disrupted: then missing heartbeats prove nothing about the nodes. */
export function isFullyDisrupted(zones: ReadonlyMap<string, Zone>): boolean {
	return zones.size > 0 && [...zones.values()].every(({ state }) => state === 'FullDisruption');
}

/** Minimum milliseconds between the evictions of two nodes of the zone; undefined if none may be evicted. */
export function evictionIntervalMs(zone: Zone | undefined): number | undefined {
	if (zone?.state !== 'PartialDisruption') return 1000 / RATE;
	return zone.size > LARGE_ZONE ? 1000 / REDUCED_RATE : undefined;
}
