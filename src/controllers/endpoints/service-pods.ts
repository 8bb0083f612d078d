import type { Pod } from '../../api/core/pod/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { SERVICE_NAME_LABEL, SLICE_MANAGER_LABEL } from '../../api/discovery/endpointslice/labels.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { type Keys, NO_KEYS } from '../../client/controller.ts';
import { type Informer, keyOf, keyOfObject } from '../../client/informer.ts';
import type { Indexes } from '../../client/object-indexes.ts';
import { canBeEndpoint, isSelected } from '../../plan/services/endpoints/members.ts';

const BY_NAMESPACE = 'namespace';
const BY_SERVICE = 'service';

/** The index of Services by their namespace. */
export const SERVICE_INDEXES: Indexes<Service> = {
	[BY_NAMESPACE]: ({ metadata: { namespace = '' } }) => [namespace],
};

/**
 * The index of the Pods that can be endpoints by their namespace. Finished Pods, of which a namespace may have
 * thousands, are not in it: they would be decoded in each pass.
 */
export const ENDPOINT_POD_INDEXES: Indexes<Pod> = {
	'endpoint-namespace': (pod) => (canBeEndpoint(pod) ? [pod.metadata.namespace ?? ''] : []),
};

/** The index of EndpointSlices by the key of their Service. */
export const SLICE_INDEXES: Indexes<EndpointSlice> = { [BY_SERVICE]: serviceKeyOf };

/** The keys of the Services whose endpoints a change of a Pod concerns. */
export function servicesOfPod(
	services: Pick<Informer<Service>, 'indexed'>,
	pod: Pod | undefined,
	old: Pod | undefined,
): Keys {
	const versions = [pod, old].filter((each) => each !== undefined).filter(canBeEndpoint);
	const [first] = versions;
	if (!first) return NO_KEYS;
	return services
		.indexed(BY_NAMESPACE, first.metadata.namespace ?? '')
		.filter((service) => versions.some((each) => isSelected(each, service)))
		.map(keyOfObject);
}

/** The Pods that the Service selects and that can be endpoints. */
export function podsOfService(pods: Pick<Informer<Pod>, 'indexed'>, service: Service): readonly Pod[] {
	const { namespace = '' } = service.metadata;
	return pods.indexed('endpoint-namespace', namespace).filter((pod) => isSelected(pod, service));
}

/** The slices of the Service with this key that the controller `manager` maintains. */
export function slicesOfService(
	slices: Pick<Informer<EndpointSlice>, 'indexed'>,
	key: string,
	manager: string,
): readonly EndpointSlice[] {
	return slices.indexed(BY_SERVICE, key).filter((slice) => isManaged(slice, manager));
}

/** The keys of the Services of a slice before and after a change, if the controller `manager` maintains or maintained it. */
export function servicesOfSlice(
	slice: EndpointSlice | undefined,
	old: EndpointSlice | undefined,
	manager: string,
): Keys {
	return [slice, old]
		.filter((each) => each !== undefined)
		.filter((each) => isManaged(each, manager))
		.flatMap(serviceKeyOf);
}

function isManaged({ metadata }: EndpointSlice, manager: string): boolean {
	return metadata.labels?.[SLICE_MANAGER_LABEL] === manager;
}

function serviceKeyOf({ metadata: { namespace = '', labels = {} } }: EndpointSlice): readonly string[] {
	const name = labels[SERVICE_NAME_LABEL];
	return name ? [keyOf(namespace, name)] : [];
}
