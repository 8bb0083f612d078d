import type { Metrics } from '../../base/metrics.ts';
import type { ObjectCache } from '../storage/object-cache.ts';

/**
 * Adds gauges with the number of stored objects of each resource, under upstream's current and former metric
 * name.
 */
export function addObjectCounts(metrics: Metrics, cache: ObjectCache): void {
	metrics.readGauge(
		{
			name: 'apiserver_resource_objects',
			help: 'Number of stored objects, by resource.',
			labelNames: ['group', 'resource'],
		},
		(report) => {
			for (const { size, definition } of cache.resources) report(size, definition.group, definition.resource);
		},
	);
	metrics.readGauge(
		{
			name: 'apiserver_storage_objects',
			help: 'Number of stored objects, by resource. Deprecated: use apiserver_resource_objects.',
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
