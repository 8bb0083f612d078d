/** Limits on what a Pod writes to the disk of its node (upstream: `localStorageEviction` in eviction_manager.go). */
import { aggregateRequests } from '../../api/core/pod/aggregate-requests.ts';
import type { Container, Pod } from '../../api/core/pod/schema.ts';
import { canonicalQuantity, compareQuantities, quantityValue } from '../../api/meta/quantity.ts';

/** What a Pod has written, in bytes. */
export interface LocalStorageUse {
	/** By name of the volume. */
	readonly volumes: ReadonlyMap<string, number>;
	/** By name of the container, its logs. */
	readonly logs: ReadonlyMap<string, number>;
	/** By name of the container, what it has written to its own root file system. */
	readonly writableLayers: ReadonlyMap<string, number>;
}

/** Whether the Pod limits what it writes, so that it must be measured. */
export function limitsLocalStorage(pod: Pod): boolean {
	const { volumes = [] } = pod.spec;
	return limitsContainers(pod) || volumes.some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined);
}

/** Whether the Pod limits what its containers write outside of volumes. */
export function limitsContainers({ spec }: Pod): boolean {
	const { containers, initContainers = [] } = spec;
	return [...containers, ...initContainers].some((container) => storageLimit(container) !== undefined);
}

/** Why the Pod must be evicted, with the kubelet's message; undefined if it keeps its limits. */
export function localStorageExcess(pod: Pod, use: LocalStorageUse): string | undefined {
	const { volumes, logs, writableLayers } = use;
	for (const { name, emptyDir } of pod.spec.volumes ?? []) {
		const limit = emptyDir?.sizeLimit;
		if (limit === undefined || compareQuantities(limit, '0') <= 0) continue;
		if ((volumes.get(name) ?? 0) > quantityValue(limit))
			return `Usage of EmptyDir volume "${name}" exceeds the limit "${canonicalQuantity(limit)}". `;
	}
	const limit = podLimit(pod);
	const parts = [...ephemeral(pod, volumes), ...logs.values(), ...writableLayers.values()];
	const used = parts.reduce((sum, bytes) => sum + bytes, 0);
	if (limit !== undefined && used > quantityValue(limit))
		return `Pod ephemeral local storage usage exceeds the total limit of containers ${canonicalQuantity(limit)}. `;
	for (const container of pod.spec.containers) {
		const own = storageLimit(container);
		if (own === undefined || quantityValue(own) === 0) continue;
		const { name } = container;
		if ((logs.get(name) ?? 0) + (writableLayers.get(name) ?? 0) > quantityValue(own))
			return `Container ${name} exceeded its local ephemeral storage limit "${canonicalQuantity(own)}". `;
	}
	return undefined;
}

function storageLimit({ resources }: Container): string | undefined {
	return resources?.limits?.['ephemeral-storage'];
}

/** The sum of the limits, counted as requests are. */
function podLimit({ spec }: Pod): string | undefined {
	const swap = (container: Container): Container => ({
		...container,
		resources: { requests: container.resources?.limits ?? {} },
	});
	const { containers, initContainers = [] } = spec;
	const swapped = { containers: containers.map(swap), initContainers: initContainers.map(swap) };
	return aggregateRequests(swapped).get('ephemeral-storage');
}

/** The volumes on the disk that end with the Pod: memory and claimed volumes do not count. */
function ephemeral({ spec }: Pod, used: ReadonlyMap<string, number>): readonly number[] {
	return (spec.volumes ?? []).flatMap((volume) => {
		const isLocal = volume.emptyDir
			? volume.emptyDir.medium !== 'Memory'
			: Boolean(volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected);
		return isLocal ? [used.get(volume.name) ?? 0] : [];
	});
}
