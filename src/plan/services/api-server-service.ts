/**
 * The Service `kubernetes` in the namespace default, by which Pods find the API server, with its Endpoints and its
 * EndpointSlice (upstream: pkg/controlplane/controller/kubernetesservice and pkg/controlplane/reconcilers).
 *
 * 1. The Service has the first address of the range of Services. One with another address is of a server with another
 *    range: it is replaced, since the address of a Service cannot change.
 * 2. The endpoint is the address of the listener. Its port may be another one after a restart.
 */

import type { Endpoints } from '../../api/core/endpoints/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { SERVICE_NAME_LABEL } from '../../api/discovery/endpointslice/labels.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { SKIP_MIRROR_LABEL } from './slices/plan-mirror.ts';

/** The name of the Service, of its Endpoints and of its EndpointSlice. */
export const API_SERVER_SERVICE = 'kubernetes';

/** The namespace of the Service. */
export const API_SERVER_NAMESPACE = 'default';

/** The port of the Service. */
const HTTPS_PORT = 443;

/** What exists, and what must. */
export interface ApiServerSnapshot {
	/** The address of the Service. */
	readonly clusterIp: string;
	/** The IPv4 address and the port of the listener. */
	readonly listener: { readonly ip: string; readonly port: number };
	readonly service: Service | undefined;
	readonly endpoints: Endpoints | undefined;
	readonly slice: EndpointSlice | undefined;
}

/** What to do about one object; absent: nothing. */
export type Act<T extends KubeObject> =
	| { readonly kind: 'create' | 'update'; readonly object: T }
	/** Deleted, so that the next pass creates it. */
	| { readonly kind: 'replace'; readonly object: T };

/** What to do, in this order. */
export interface ApiServerPlan {
	readonly service?: Act<Service>;
	readonly endpoints?: Act<Endpoints>;
	readonly slice?: Act<EndpointSlice>;
}

/** Plans the three objects. */
export function planApiServerService(snapshot: ApiServerSnapshot): ApiServerPlan {
	const service = planService(snapshot);
	const endpoints = planApiServerEndpoints(snapshot);
	const slice = planSlice(snapshot);
	return { ...(service && { service }), ...(endpoints && { endpoints }), ...(slice && { slice }) };
}

const META = { name: API_SERVER_SERVICE, namespace: API_SERVER_NAMESPACE };

function planService({ service, clusterIp, listener }: ApiServerSnapshot): Act<Service> | undefined {
	const ports = [{ name: 'https', protocol: 'TCP', port: HTTPS_PORT, targetPort: listener.port }] as const;
	if (!service) {
		const labels = { component: 'apiserver', provider: 'kubernetes' };
		const spec = { ports, clusterIP: clusterIp, ipFamilyPolicy: 'SingleStack', type: 'ClusterIP' } as const;
		const object: Service = {
			apiVersion: 'v1',
			kind: 'Service',
			metadata: { ...META, labels },
			spec,
			status: {},
		};
		return { kind: 'create', object };
	}
	if (service.metadata.deletionTimestamp) return undefined;
	if (service.spec.clusterIP !== clusterIp) return { kind: 'replace', object: service };
	if (semanticEqual(service.spec.ports, ports)) return undefined;
	return { kind: 'update', object: { ...service, spec: { ...service.spec, ports } } };
}

function planApiServerEndpoints({ endpoints, listener }: ApiServerSnapshot): Act<Endpoints> | undefined {
	const { ip, port } = listener;
	const subsets = [{ addresses: [{ ip }], ports: [{ name: 'https', port, protocol: 'TCP' }] }] as const;
	// The slice has another name than the mirroring controller would give it.
	const labels = { ...endpoints?.metadata.labels, [SKIP_MIRROR_LABEL]: 'true' };
	const metadata = { ...(endpoints?.metadata ?? META), labels };
	const object: Endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets };
	if (!endpoints) return { kind: 'create', object };
	const isSame =
		semanticEqual(endpoints.subsets, subsets) && semanticEqual(endpoints.metadata.labels, labels);
	return isSame ? undefined : { kind: 'update', object };
}

function planSlice({ slice, listener }: ApiServerSnapshot): Act<EndpointSlice> | undefined {
	const { ip, port } = listener;
	const labels = { [SERVICE_NAME_LABEL]: API_SERVER_SERVICE };
	const object: EndpointSlice = {
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: { ...(slice?.metadata ?? META), labels },
		addressType: 'IPv4',
		endpoints: [{ addresses: [ip], conditions: { ready: true } }],
		ports: [{ name: 'https', protocol: 'TCP', port }],
	};
	if (!slice) return { kind: 'create', object };
	if (slice.addressType !== object.addressType) return { kind: 'replace', object: slice };
	const isSame =
		semanticEqual(slice.endpoints, object.endpoints) &&
		semanticEqual(slice.ports, object.ports) &&
		semanticEqual(slice.metadata.labels, labels);
	return isSame ? undefined : { kind: 'update', object };
}
