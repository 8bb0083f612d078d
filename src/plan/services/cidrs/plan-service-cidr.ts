/**
 * What a ServiceCIDR needs: its finalizer, its condition, and the removal of the finalizer once it can go (upstream:
 * pkg/controller/servicecidrs/servicecidrs_controller.go and pkg/controlplane/controller/defaultservicecidr).
 *
 * 1. A deleted ServiceCIDR stays while Services have addresses that no other ServiceCIDR has. One that is being deleted too
 *    does not count as another; upstream counts it.
 * 2. It stays at least {@link DELETION_GRACE_MS}, so that a Service whose address was being allocated is seen.
 * 3. Ready is True only if this server serves connections to the addresses. Upstream does not know, and always says True.
 */

import type { EventText } from '../../../api/core/event/event-text.ts';
import { findCondition, type MetaCondition } from '../../../api/meta/conditions.ts';
import { formatTime, parseTime } from '../../../api/meta/time.ts';
import {
	DEFAULT_SERVICE_CIDR,
	SERVICE_CIDR_FINALIZER,
	SERVICE_CIDR_READY,
} from '../../../api/networking/servicecidr/definition.ts';
import type { ServiceCidr } from '../../../api/networking/servicecidr/schema.ts';
import type { AddressRange } from '../allocation/ranges.ts';
import { servedRange } from '../allocation/service-ranges.ts';
import { cidrRangesOf, coversRange, offersClusterIp } from './cidr-ranges.ts';

/** How long a deleted ServiceCIDR stays at least (upstream: `deletionGracePeriod`). */
export const DELETION_GRACE_MS = 10_000;

/** A ServiceCIDR and what its state depends on. */
export interface CidrSnapshot {
	readonly cidr: ServiceCidr;
	/** The other ServiceCIDRs. */
	readonly others: readonly ServiceCidr[];
	/** The addresses of Services. Needed only for a deleted ServiceCIDR. */
	readonly addresses: readonly string[];
	/** The range of the server. */
	readonly own: AddressRange;
	readonly now: number;
}

/** What to do about a ServiceCIDR. */
export interface CidrPlan {
	/** Its new finalizers. */
	readonly finalizers?: readonly string[];
	/** Its new condition. */
	readonly condition?: MetaCondition;
	/** When to plan again, in ms since the epoch. */
	readonly recheckAt?: number;
	readonly because: string;
}

/** Plans the next step for a ServiceCIDR. */
export function planServiceCidr(snapshot: CidrSnapshot): CidrPlan {
	const { cidr, now } = snapshot;
	const { finalizers = [], deletionTimestamp } = cidr.metadata;
	const isProtected = finalizers.includes(SERVICE_CIDR_FINALIZER);
	if (deletionTimestamp === undefined) {
		if (isProtected) return withCondition(cidr, readiness(snapshot), now);
		return { finalizers: [...finalizers, SERVICE_CIDR_FINALIZER], because: 'it has no finalizer yet' };
	}
	if (!isProtected) return { because: 'it awaits the finalizers of others' };
	if (isNeeded(snapshot)) return withCondition(cidr, TERMINATING, now);
	const removableAt = (parseTime(deletionTimestamp) ?? now) + DELETION_GRACE_MS;
	if (now < removableAt) return { recheckAt: removableAt, because: 'it was deleted a moment ago' };
	const rest = finalizers.filter((each) => each !== SERVICE_CIDR_FINALIZER);
	return { finalizers: rest, because: 'it is deleted and no Service needs it' };
}

type Readiness = Pick<MetaCondition, 'status' | 'reason' | 'message'>;

const TERMINATING: Readiness = {
	status: 'False',
	reason: 'Terminating',
	message:
		'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

function readiness({ cidr, own }: CidrSnapshot): Readiness {
	const unserved = (cidr.spec.cidrs ?? []).find((text) => !servedRange(text, own));
	if (unserved === undefined)
		return { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' };
	const more = own.text.startsWith('127.') ? ' and other IPv4 ranges of 127.0.0.0/8' : '';
	return {
		status: 'False',
		reason: 'AddressesNotServed',
		message: `No addresses are allocated: connections to ${unserved} do not lead to this server, which serves ${own.text}${more}, with prefixes of 8 to 30 bits`,
	};
}

function withCondition({ status }: ServiceCidr, next: Readiness, now: number): CidrPlan {
	const old = findCondition(status.conditions, SERVICE_CIDR_READY);
	if (old?.status === next.status && old.reason === next.reason && old.message === next.message) {
		return { because: 'its condition is as it must be' };
	}
	const condition = { type: SERVICE_CIDR_READY, lastTransitionTime: formatTime(now), ...next };
	return { condition, because: 'its condition has changed' };
}

/** Whether a Service would have an address of no ServiceCIDR without this one (upstream: `canDeleteCIDR`). */
function isNeeded({ cidr, others, addresses }: CidrSnapshot): boolean {
	const staying = others.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
	if (cidrRangesOf(cidr).every((range) => staying.some((other) => coversRange(other, range)))) return false;
	return addresses.some(
		(address) => offersClusterIp(cidr, address) && !staying.some((other) => offersClusterIp(other, address)),
	);
}

/** What to do about the ServiceCIDR `kubernetes`. */
export type DefaultCidrPlan =
	| { readonly kind: 'create'; readonly object: ServiceCidr }
	/** It has another range than the server: an Event tells that, and it is kept, since Services may have its addresses. */
	| { readonly kind: 'mismatch'; readonly event: EventText };

/** Plans the ServiceCIDR with the range of the server; undefined if it is as it must be. */
export function planDefaultCidr(
	found: ServiceCidr | undefined,
	own: AddressRange,
): DefaultCidrPlan | undefined {
	if (!found) {
		const metadata = { name: DEFAULT_SERVICE_CIDR, finalizers: [SERVICE_CIDR_FINALIZER] };
		const spec = { cidrs: [own.text] };
		const object = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata, spec, status: {} };
		return { kind: 'create', object };
	}
	const { cidrs = [] } = found.spec;
	if (found.metadata.deletionTimestamp !== undefined || (cidrs.length === 1 && cidrs[0] === own.text))
		return undefined;
	const message = `The default ServiceCIDR [${cidrs.join(' ')}] does not match the controller flag configurations [${own.text}]`;
	return {
		kind: 'mismatch',
		event: { type: 'Warning', reason: 'KubernetesDefaultServiceCIDRInconsistent', message },
	};
}
