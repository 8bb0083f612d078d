import type { Service } from '../../../api/core/service/schema.ts';
import type { EndpointSlice, SliceEndpoint } from '../../../api/discovery/endpointslice/schema.ts';
import { mapShared, withoutField } from '../../../api/schema/defaults.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';

const CLOSE = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

/**
 * The endpoints with the hints that spec.trafficDistribution asks for: ready endpoints are meant for the clients of their
 * zone, and with PreferSameNode for those of their node. Without trafficDistribution there are no hints (upstream:
 * staging/src/k8s.io/endpointslice/trafficdist). The annotation service.kubernetes.io/topology-mode, by which upstream
 * assigns hints in proportion to the processors of zones, has no effect: all endpoints are on one node.
 */
export function withHints(
	{ spec: { trafficDistribution = '' } }: Service,
	slice: EndpointSlice,
): EndpointSlice {
	const isClose = CLOSE.includes(trafficDistribution);
	const endpoints = mapShared(slice.endpoints, (endpoint) => {
		if (!isClose) return withoutField(endpoint, 'hints');
		if (!endpoint.conditions?.ready) return endpoint;
		return hinted(endpoint, trafficDistribution === 'PreferSameNode');
	});
	return endpoints === slice.endpoints ? slice : { ...slice, endpoints };
}

function hinted(endpoint: SliceEndpoint, prefersNode: boolean): SliceEndpoint {
	const { zone, nodeName } = endpoint;
	const hints = {
		...(zone !== undefined && { forZones: [{ name: zone }] }),
		...(prefersNode && nodeName !== undefined && { forNodes: [{ name: nodeName }] }),
	};
	if (Object.keys(hints).length === 0) return withoutField(endpoint, 'hints');
	return semanticEqual(endpoint.hints, hints) ? endpoint : { ...endpoint, hints };
}
