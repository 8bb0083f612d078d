import type { Service } from '../../api/core/service/schema.ts';
import { HEADLESS } from '../../api/core/service/service-type.ts';
import { SERVICE_NAME_LABEL } from '../../api/discovery/endpointslice/labels.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { compareText } from '../../base/compare-text.ts';

/** A Service with all its EndpointSlices. */
export interface ServiceWithSlices {
	readonly service: Service;
	readonly slices: readonly EndpointSlice[];
}

/** Joins Services and EndpointSlices, in the order of namespaces and names. Slices without a Service are left out. */
export function servicesWithSlices(
	services: Iterable<Service>,
	slices: Iterable<EndpointSlice>,
): readonly ServiceWithSlices[] {
	const byService = new Map<string, EndpointSlice[]>();
	for (const slice of slices) {
		const key = `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`;
		const list = byService.get(key);
		if (list) list.push(slice);
		else byService.set(key, [slice]);
	}
	return [...services]
		.map((service) => ({
			key: `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`,
			service,
		}))
		.sort((one, other) => compareText(one.key, other.key))
		.map(({ key, service }) => ({ service, slices: byService.get(key) ?? [] }));
}

/** Whether the Service has an address of its own, from which a node forwards to its endpoints. */
export function hasAddress({ spec }: Service): boolean {
	return spec.type !== 'ExternalName' && (spec.clusterIP ?? '') !== '' && spec.clusterIP !== HEADLESS;
}
