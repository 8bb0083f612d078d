import type { Service } from '../../../api/core/service/schema.ts';
import { HEADLESS } from '../../../api/core/service/service-type.ts';
import type { KubeObject } from '../../../api/meta/object-meta.ts';
import { parseIp } from '../../../api/network/ip-address.ts';
import {
	IP_ALLOCATOR,
	IP_FAMILY_LABEL,
	IP_MANAGED_BY_LABEL,
} from '../../../api/networking/ipaddress/labels.ts';
import type { IpAddressObject, ParentReference } from '../../../api/networking/ipaddress/schema.ts';

const RESOURCE = 'services';

/** The addresses of a Service that have an IPAddress; none if it is headless. */
export function clusterIpsOf({ spec }: Service): readonly string[] {
	return (spec.clusterIPs ?? []).filter((address) => address !== HEADLESS && address !== '');
}

/** The IPAddress that reserves `address` for the Service (upstream: `newIPAddress`). */
export function ipAddressOf(address: string, { metadata }: Pick<Service, 'metadata'>): IpAddressObject {
	const { name = '', namespace = '' } = metadata;
	const labels = { [IP_FAMILY_LABEL]: familyOf(address), [IP_MANAGED_BY_LABEL]: IP_ALLOCATOR };
	return {
		apiVersion: 'networking.k8s.io/v1',
		kind: 'IPAddress',
		metadata: { name: address, labels },
		spec: { parentRef: { resource: RESOURCE, namespace, name } },
	};
}

/** Whether the API server manages the IPAddress. */
export function isManaged({ metadata }: KubeObject): boolean {
	return metadata.labels?.[IP_MANAGED_BY_LABEL] === IP_ALLOCATOR;
}

/** Whether the IPAddress has the labels of those that the API server makes. */
export function hasOwnLabels(address: IpAddressObject): boolean {
	const { name = '', labels } = address.metadata;
	return isManaged(address) && labels?.[IP_FAMILY_LABEL] === familyOf(name);
}

/** The Service that the IPAddress refers to; undefined if it refers to something else. */
export function serviceReference({
	spec,
}: IpAddressObject): { readonly namespace: string; readonly name: string } | undefined {
	const { group = '', resource, namespace = '', name = '' }: ParentReference = spec.parentRef ?? {};
	return group === '' && resource === RESOURCE ? { namespace, name } : undefined;
}

/** Whether the IPAddress refers to this Service. */
export function refersTo(address: IpAddressObject, { metadata }: Pick<Service, 'metadata'>): boolean {
	const reference = serviceReference(address);
	return reference?.name === metadata.name && reference?.namespace === metadata.namespace;
}

function familyOf(address: string): string {
	return parseIp(address)?.family ?? '';
}
