import type { EndpointAddress, EndpointSubset } from '../../../api/core/endpoints/schema.ts';
import { compareText } from '../../../base/compare-text.ts';

type Port = NonNullable<EndpointSubset['ports']>[number];

/** The addresses with the same set of ports, each with whether it is ready. */
interface Group {
	readonly addresses: ReadonlyMap<string, { readonly address: EndpointAddress; readonly isReady: boolean }>;
	readonly ports: Port[];
}

/**
 * The subsets with the same endpoints in which addresses with the same ports share a subset (upstream: `RepackSubsets` in
 * pkg/api/v1/endpoints). An address that is not ready in one of the given subsets, for a port, is not ready there. Upstream
 * orders ports and subsets by a hash; here they are ordered by their content.
 */
export function repackSubsets(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
	const [only, ...others] = subsets;
	// The usual case. It need not be expanded to pairs of addresses and ports, which may be a million.
	if (only && others.length === 0 && !hasDuplicates(only)) return sorted(only);
	const groups = new Map<string, Group>();
	for (const { port, addresses } of addressesByPort(subsets)) {
		const key = JSON.stringify([...addresses].map(([id, { isReady }]) => [id, isReady]).sort());
		const group = groups.get(key) ?? { addresses, ports: [] };
		if (port) group.ports.push(port);
		groups.set(key, group);
	}
	return [...groups.values()].map(subsetOf).sort((a, b) => compareText(JSON.stringify(a), JSON.stringify(b)));
}

/** Whether an address or a port is in the subset twice. */
function hasDuplicates({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset): boolean {
	const ids = new Set([...addresses, ...notReadyAddresses].map(idOf));
	const keys = new Set(ports.map(portKey));
	return ids.size < addresses.length + notReadyAddresses.length || keys.size < ports.length;
}

function sorted({
	addresses = [],
	notReadyAddresses = [],
	ports = [],
}: EndpointSubset): readonly EndpointSubset[] {
	if (addresses.length === 0 && notReadyAddresses.length === 0) return [];
	return [
		{
			...(addresses.length > 0 && { addresses: addresses.toSorted(compareAddresses) }),
			...(notReadyAddresses.length > 0 && {
				notReadyAddresses: notReadyAddresses.toSorted(compareAddresses),
			}),
			...(ports.length > 0 && { ports: ports.toSorted(comparePorts) }),
		},
	];
}

interface PortAddresses {
	/** Undefined for addresses without ports, which headless Services have. */
	readonly port: Port | undefined;
	readonly addresses: Map<string, { readonly address: EndpointAddress; readonly isReady: boolean }>;
}

function addressesByPort(subsets: readonly EndpointSubset[]): Iterable<PortAddresses> {
	const byPort = new Map<string, PortAddresses>();
	for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
		const all = [
			...addresses.map((address) => ({ address, isReady: true })),
			...notReadyAddresses.map((address) => ({ address, isReady: false })),
		];
		if (all.length === 0) continue;
		for (const port of ports.length === 0 ? [undefined] : ports) {
			const key = port ? portKey(port) : '';
			const known = byPort.get(key) ?? { port, addresses: new Map() };
			byPort.set(key, known);
			for (const each of all) {
				const id = idOf(each.address);
				const before = known.addresses.get(id);
				known.addresses.set(id, before ? { ...before, isReady: before.isReady && each.isReady } : each);
			}
		}
	}
	return byPort.values();
}

function subsetOf({ addresses, ports }: Group): EndpointSubset {
	const sorted = [...addresses.values()].sort((a, b) => compareAddresses(a.address, b.address));
	const ready = sorted.filter(({ isReady }) => isReady).map(({ address }) => address);
	const notReady = sorted.filter(({ isReady }) => !isReady).map(({ address }) => address);
	return {
		...(ready.length > 0 && { addresses: ready }),
		...(notReady.length > 0 && { notReadyAddresses: notReady }),
		...(ports.length > 0 && { ports: ports.toSorted(comparePorts) }),
	};
}

/** Distinct Pods can have the same address: that of their node. */
function idOf({ ip, targetRef }: EndpointAddress): string {
	return `${ip}/${targetRef?.uid ?? ''}`;
}

function portKey({ name = '', port, protocol, appProtocol }: Port): string {
	return JSON.stringify([name, port, protocol, appProtocol]);
}

function compareAddresses(a: EndpointAddress, b: EndpointAddress): number {
	return compareText(a.ip, b.ip) || compareText(a.targetRef?.uid ?? '', b.targetRef?.uid ?? '');
}

function comparePorts(a: Port, b: Port): number {
	return (
		compareText(a.name ?? '', b.name ?? '') ||
		a.port - b.port ||
		compareText(a.protocol ?? '', b.protocol ?? '')
	);
}
