import type { Node } from '../../api/core/node/schema.ts';
import { readyOf } from './node-health.ts';

/**
 * How fast the nodes of a zone that are not well are given up, by the rules of upstream's node lifecycle
 * controller: if many fail at once it is more likely the network than the nodes, and if all do it is the
 * control plane that is cut off.
 */

/** How a zone is doing. */
export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption';

/** The nodes of a zone that count, and how it is doing. */
export interface Zone {
	readonly size: number;
	readonly unhealthy: number;
	readonly state: ZoneState;
}

/** Nodes a second: usually, and in a large zone of which much is not well. In a small one none is. */
const RATE = 0.1;
const REDUCED_RATE = 0.01;
const LARGE_ZONE = 50;

const UNHEALTHY_SHARE = 0.55;
const EXCLUSION_LABEL = 'node.kubernetes.io/exclude-disruption';

/** The zone of a node, as upstream's metrics name it; empty where nothing is said. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
	const region =
		labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'];
	const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'];
	return region || zone ? `${region ?? ''}:\0:${zone ?? ''}` : '';
}

/** The zones that there are. */
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

/** Whether every node that counts is unwell: then nothing is to be concluded from it. */
export function isFullyDisrupted(zones: ReadonlyMap<string, Zone>): boolean {
	return zones.size > 0 && [...zones.values()].every(({ state }) => state === 'FullDisruption');
}

/** How long it takes until another node of the zone may be given up; undefined: none may be. */
export function tempoMs(zone: Zone | undefined): number | undefined {
	if (zone?.state !== 'PartialDisruption') return 1000 / RATE;
	return zone.size > LARGE_ZONE ? 1000 / REDUCED_RATE : undefined;
}
