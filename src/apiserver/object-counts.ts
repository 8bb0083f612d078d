import type { Metrics } from '../base/metrics.ts';
import type { ObjectCache } from './object-cache.ts';

/** Shows how many objects of each resource are stored, by upstream's name and by the one it had before. */
export function addObjectCounts(metrics: Metrics, cache: ObjectCache): void {
	metrics.readGauge(
		{
			name: 'apiserver_resource_objects',
			help: 'Objects that are stored.',
			labelNames: ['group', 'resource'],
		},
		(report) => {
			for (const { size, definition } of cache.resources) report(size, definition.group, definition.resource);
		},
	);
	metrics.readGauge(
		{
			name: 'apiserver_storage_objects',
			help: 'Objects that are stored; apiserver_resource_objects is the newer name.',
			labelNames: ['resource'],
		},
		(report) => {
			for (const { size, definition } of cache.resources) {
				const { group, resource } = definition;
				report(size, group === '' ? resource : `${resource}.${group}`);
			}
		},
	);
}
