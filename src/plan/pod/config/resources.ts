import type { ContainerResources, ResourceAmounts } from '../../../api/contract/container-config.ts';
import type { ResourceRequirements } from '../../../api/core/pod/schema.ts';
import { quantityMilliValue, quantityValue } from '../../../api/meta/quantity.ts';

/** Requests and limits as numbers. */
export function resourcesOf({ requests, limits }: ResourceRequirements = {}): ContainerResources {
	return { requests: amountsOf(requests), limits: amountsOf(limits) };
}

function amountsOf(quantities: Readonly<Record<string, string>> = {}): ResourceAmounts {
	const { cpu, memory, 'ephemeral-storage': storage, ...others } = quantities;
	return {
		...(cpu !== undefined && { cpuMillis: quantityMilliValue(cpu) }),
		...(memory !== undefined && { memoryBytes: quantityValue(memory) }),
		...(storage !== undefined && { ephemeralStorageBytes: quantityValue(storage) }),
		others: Object.fromEntries(
			Object.entries(others).map(([name, quantity]) => [name, quantityValue(quantity)]),
		),
	};
}
