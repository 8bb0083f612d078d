/**
 * Allocation of addresses and node ports of Services (upstream: pkg/registry/core/service/storage/alloc.go). Reading
 * order: this file, linked-fields.ts, families.ts, pool.ts, ranges.ts, service-ranges.ts, ip-address-of.ts. The API server calls
 * it in the write of a Service (src/apiserver/allocation/service-addresses.ts).
 *
 * 1. No two Services have the same address or the same node port: a value is taken from a pool that knows all stored
 *    Services and all writes in progress. An address is also taken while an IPAddress with its name exists.
 * 2. There is no record of node ports besides the Services themselves, so nothing has to be released or repaired: a port is
 *    free once no Service has it. The IPAddress of a Service is such a record. It is written before the Service and
 *    removed after it, so that a crash in between can only keep an address from others, until it is repaired.
 * 3. A write that leaves out a value that the Service has keeps it.
 */

import type { Service, ServicePort, ServiceSpec } from '../../../api/core/service/schema.ts';
import {
	HEADLESS,
	hasNodePorts,
	needsClusterIp,
	needsHealthCheck,
} from '../../../api/core/service/service-type.ts';
import { fieldInvalid } from '../../../api/errors/field-errors.ts';
import { type FieldError, SPEC } from '../../../api/errors/field-path.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import { withFamilies } from './families.ts';
import { heldBy } from './held.ts';
import { allocatesNodePorts, withAllocatedValues, withLinkedAddresses } from './linked-fields.ts';
import type { Pool } from './pool.ts';

/** The result of an allocation. */
export type Allocation =
	| { readonly type: 'allocated'; readonly service: Service }
	/** The client asked for what it cannot have. */
	| { readonly type: 'invalid'; readonly errors: readonly FieldError[] }
	/** Nothing is free. */
	| { readonly type: 'full'; readonly message: string };

/** Fills in what a new Service, or the next state of `old`, lacks, and takes what the client has chosen. */
export function allocateService(service: Service, old: Service | undefined, pool: Pool): Allocation {
	const kept = old ? withAllocatedValues(service.spec, old.spec) : service.spec;
	const linked = withLinkedAddresses(kept, old?.spec);
	if (old && keepsPreferredFamilies(linked, old.spec)) return allocatePorts(service, linked, { old, pool });
	const families = withFamilies(linked, old?.spec);
	if ('errors' in families) return { type: 'invalid', errors: families.errors };
	const addresses = allocateAddresses(service, families.spec, { old, pool });
	if (addresses.type !== 'allocated') return addresses;
	return allocatePorts(service, addresses.service.spec, { old, pool });
}

interface Scope {
	readonly old: Service | undefined;
	readonly pool: Pool;
}

/** A Service that prefers two families keeps what it has until the client changes it, whatever the cluster has. */
function keepsPreferredFamilies(spec: ServiceSpec, old: ServiceSpec): boolean {
	return (
		spec.type === old.type &&
		needsClusterIp(spec) &&
		spec.ipFamilyPolicy === 'PreferDualStack' &&
		old.ipFamilyPolicy === 'PreferDualStack' &&
		semanticEqual(spec.clusterIPs, old.clusterIPs) &&
		semanticEqual(spec.ipFamilies, old.ipFamilies)
	);
}

/** An existing Service keeps its address; one that was an ExternalName has none. */
function allocateAddresses(service: Service, spec: ServiceSpec, { old, pool }: Scope): Allocation {
	const { clusterIPs: given = [], ipFamilies = [] } = spec;
	const hasAddress = old !== undefined && needsClusterIp(old.spec);
	if (!needsClusterIp(spec) || hasAddress || given[0] === HEADLESS) {
		return { type: 'allocated', service: { ...service, spec } };
	}
	const clusterIPs: string[] = [];
	for (const index of ipFamilies.keys()) {
		const address = given[index];
		if (address) {
			const problem = pool.claimAddress(address);
			if (problem !== undefined) return addressRefused(given, `failed to allocate IP ${address}: ${problem}`);
			clusterIPs.push(address);
			continue;
		}
		const taken = pool.takeAddress();
		if ('problem' in taken) {
			const name = service.metadata.name ?? '';
			return {
				type: 'full',
				message: `failed to allocate a serviceIP for Service "${name}": ${taken.problem}`,
			};
		}
		clusterIPs.push(taken.value);
	}
	const [clusterIP = ''] = clusterIPs;
	return { type: 'allocated', service: { ...service, spec: { ...spec, clusterIP, clusterIPs } } };
}

function addressRefused(clusterIPs: readonly string[], detail: string): Allocation {
	return { type: 'invalid', errors: [fieldInvalid(SPEC.child('clusterIPs'), clusterIPs, detail)] };
}

function allocatePorts(service: Service, spec: ServiceSpec, { old, pool }: Scope): Allocation {
	let next = spec;
	if (spec.ports && hasNodePorts(spec)) {
		const result = old ? updatedPorts(spec, { old: old.spec, pool }) : newPorts(spec, pool);
		if (result.type !== 'ports') return result;
		next = { ...spec, ports: result.ports };
	}
	return allocateHealthCheck({ ...service, spec: next }, { old, pool });
}

/** Why a Service does not get what it asks for. */
type Refusal = Exclude<Allocation, { readonly type: 'allocated' }>;

type Ports = { readonly type: 'ports'; readonly ports: readonly ServicePort[] } | Refusal;

/**
 * The ports of a new Service (upstream: `initNodePorts`). Ports with the same number and different protocols share a node
 * port.
 */
function newPorts(spec: ServiceSpec, pool: Pool): Ports {
	const { ports = [] } = spec;
	const chosen = new Map<number, number>();
	for (const { port, nodePort } of ports) if (nodePort && !chosen.has(port)) chosen.set(port, nodePort);
	const taken = new Map<number, number>();
	const result: ServicePort[] = [];
	for (const [index, port] of ports.entries()) {
		const shared = taken.get(port.port);
		if (!port.nodePort && !allocatesNodePorts(spec)) result.push(port);
		else if (shared !== undefined && (port.nodePort ?? shared) === shared)
			result.push({ ...port, nodePort: shared });
		else {
			const wanted = shared === undefined ? (port.nodePort ?? chosen.get(port.port)) : port.nodePort;
			const next = takePort(wanted, index, pool);
			if ('type' in next) return next;
			if (shared === undefined) taken.set(port.port, next.value);
			result.push({ ...port, nodePort: next.value });
		}
	}
	return { type: 'ports', ports: result };
}

/** The ports of a changed Service (upstream: `updateNodePorts`). */
function updatedPorts(
	spec: ServiceSpec,
	{ old, pool }: { readonly old: ServiceSpec; readonly pool: Pool },
): Ports {
	const own = heldBy(old).ports;
	const taken = new Set<number>();
	const result: ServicePort[] = [];
	for (const [index, port] of (spec.ports ?? []).entries()) {
		const { nodePort } = port;
		if (nodePort ? own.has(nodePort) || taken.has(nodePort) : !allocatesNodePorts(spec)) {
			result.push(port);
			continue;
		}
		const next = takePort(nodePort, index, pool);
		if ('type' in next) return next;
		// Another port of the Service may have the same one, with another protocol.
		taken.add(next.value);
		result.push({ ...port, nodePort: next.value });
	}
	return { type: 'ports', ports: result };
}

function takePort(
	chosen: number | undefined,
	index: number,
	pool: Pool,
): { readonly value: number } | Refusal {
	if (chosen) {
		const problem = pool.claimPort(chosen);
		if (problem === undefined) return { value: chosen };
		const path = SPEC.child('ports').index(index).child('nodePort');
		return { type: 'invalid', errors: [fieldInvalid(path, chosen, problem)] };
	}
	const taken = pool.takePort();
	if ('value' in taken) return taken;
	return { type: 'full', message: `failed to allocate a nodePort: ${taken.problem}` };
}

/**
 * Takes the port of health checks when the Service begins to need one (upstream: `updateHealthCheckNodePort`). Upstream
 * answers a port that is taken with an internal error; here it is an error of the field.
 */
function allocateHealthCheck(service: Service, { old, pool }: Scope): Allocation {
	const needed = old !== undefined && needsHealthCheck(old.spec);
	if (needed || !needsHealthCheck(service.spec)) return { type: 'allocated', service };
	const { healthCheckNodePort: chosen } = service.spec;
	if (!chosen) {
		const taken = pool.takePort();
		if ('problem' in taken) {
			return { type: 'full', message: `failed to allocate a HealthCheck NodePort 0: ${taken.problem}` };
		}
		return {
			type: 'allocated',
			service: { ...service, spec: { ...service.spec, healthCheckNodePort: taken.value } },
		};
	}
	const problem = pool.claimPort(chosen);
	if (problem === undefined) return { type: 'allocated', service };
	const detail = `failed to allocate requested HealthCheck NodePort ${chosen}: ${problem}`;
	return { type: 'invalid', errors: [fieldInvalid(SPEC.child('healthCheckNodePort'), chosen, detail)] };
}
