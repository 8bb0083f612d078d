/**
 * Repair of IPAddresses: each address of a Service has one that refers to it, and each that the API server made belongs to a
 * Service (upstream: pkg/registry/core/service/ipallocator/controller/repairip.go). The API server writes both, one after
 * the other; what a crash, an older version or a user leaves behind is repaired.
 */

import type { EventText } from '../../../api/core/event/event-text.ts';
import type { Service } from '../../../api/core/service/schema.ts';
import { timeOf } from '../../../api/meta/time.ts';
import { parseIp } from '../../../api/network/ip-address.ts';
import type { IpAddressObject } from '../../../api/networking/ipaddress/schema.ts';
import type { ServiceCidr } from '../../../api/networking/servicecidr/schema.ts';
import {
	clusterIpsOf,
	hasOwnLabels,
	isManaged,
	refersTo,
	serviceReference,
} from '../allocation/ip-address-of.ts';
import { type AddressRange, addressNumber, contains } from '../allocation/ranges.ts';
import { offersClusterIp } from './cidr-ranges.ts';

/** A Service, and what its addresses depend on. */
export interface ServiceSnapshot {
	readonly service: Service;
	/** The IPAddress of this name. */
	readonly addressAt: (name: string) => IpAddressObject | undefined;
	readonly serviceAt: (namespace: string, name: string) => Service | undefined;
	readonly cidrs: readonly ServiceCidr[];
	/** The range of the server. */
	readonly own: AddressRange;
}

/** The repair of one address of a Service. */
export interface AddressRepair {
	readonly address: string;
	/** The IPAddress to delete before another one is created. */
	readonly replaced?: IpAddressObject;
	readonly create: boolean;
	readonly event?: EventText;
}

/** The repairs that the IPAddresses of a Service need. */
export function planServiceAddresses(snapshot: ServiceSnapshot): readonly AddressRepair[] {
	return clusterIpsOf(snapshot.service).flatMap((address) => repairOf(address, snapshot) ?? []);
}

function repairOf(address: string, snapshot: ServiceSnapshot): AddressRepair | undefined {
	const { service, addressAt, serviceAt } = snapshot;
	const { namespace, name } = service.metadata;
	const family = parseIp(address)?.family ?? '';
	if (!isInRange(address, snapshot)) {
		const text = `Cluster IP [${family}]: ${address} is not within any configured Service CIDR; please recreate service`;
		return { address, create: false, event: warning('ClusterIPOutOfRange', text) };
	}
	const found = addressAt(address);
	if (!found) {
		const text = `Cluster IP [${family}]: ${address} is not allocated; repairing`;
		return { address, create: true, event: warning('ClusterIPNotAllocated', text) };
	}
	if (!refersTo(found, service)) {
		const reference = serviceReference(found);
		const other = reference && serviceAt(reference.namespace, reference.name);
		if (other && clusterIpsOf(other).includes(address)) {
			const text = `Cluster IP [${family}]:${address} was assigned to multiple services; please recreate service`;
			return { address, create: false, event: warning('ClusterIPAlreadyAllocated', text) };
		}
		const text = `the ClusterIP [${family}]: ${address} for Service ${namespace}/${name} has a wrong reference; repairing`;
		return { address, replaced: found, create: true, event: warning('ClusterIPNotAllocated', text) };
	}
	return hasOwnLabels(found) ? undefined : { address, replaced: found, create: true };
}

/** Whether a ServiceCIDR has the address, or the range of the server: it needs no ServiceCIDR. */
function isInRange(address: string, { cidrs, own }: ServiceSnapshot): boolean {
	const number = addressNumber(address);
	if (number !== undefined && contains(own, number)) return true;
	return cidrs.some((cidr) => offersClusterIp(cidr, address));
}

/** Time that the write of a Service may take after that of its IPAddress (upstream: the timeout of a request). */
const WRITE_MS = 60_000;

/** Time that the API server may take to undo the write of an IPAddress. */
const UNDO_MS = 5000;

/** What to do about an IPAddress; undefined: nothing. */
export type AddressPlan =
	| { readonly kind: 'delete'; readonly event: EventText }
	/** Plan again at this time, in ms since the epoch. */
	| { readonly kind: 'wait'; readonly until: number };

/** Plans an IPAddress. `service` is the Service that it refers to, if that exists. */
export function planIpAddress(
	address: IpAddressObject,
	service: Service | undefined,
	now: number,
): AddressPlan | undefined {
	const { name = '' } = address.metadata;
	if (!isManaged(address)) return undefined;
	const reference = serviceReference(address);
	if (!reference) {
		const text = `IPAddress ${name} appears to have been modified, not referencing a Service ${parentText(address)}: cleaning up`;
		return { kind: 'delete', event: warning('IPAddressNotAllocated', text) };
	}
	const createdAt = timeOf(address.metadata.creationTimestamp) ?? now;
	const text = `IPAddress: ${name} for Service ${reference.namespace}/${reference.name}`;
	if (!service) {
		if (now <= createdAt + WRITE_MS) return { kind: 'wait', until: createdAt + WRITE_MS + 1 };
		const leaked = `${text} appears to have leaked: cleaning up`;
		return { kind: 'delete', event: warning('IPAddressNotAllocated', leaked) };
	}
	if (clusterIpsOf(service).includes(name)) return undefined;
	const graceMs = service.spec.type === 'ExternalName' ? WRITE_MS : UNDO_MS;
	const isNewer =
		service.spec.type === 'ExternalName' || createdAt > (timeOf(service.metadata.creationTimestamp) ?? now);
	if (isNewer && now < createdAt + graceMs) return { kind: 'wait', until: createdAt + graceMs };
	const wrong = `${text} has a wrong reference; cleaning up`;
	return { kind: 'delete', event: warning('IPAddressWrongReference', wrong) };
}

/** The parent as upstream's messages show it. */
function parentText({ spec }: IpAddressObject): string {
	if (!spec.parentRef) return 'nil';
	const { group = '', resource = '', namespace = '', name = '' } = spec.parentRef;
	return `&ParentReference{Group:${group},Resource:${resource},Namespace:${namespace},Name:${name},}`;
}

function warning(reason: string, message: string): EventText {
	return { type: 'Warning', reason, message };
}
