import type { ContainerUsage, RatedUsage } from '../../api/contract/usage.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { serviceUnavailable, unknownPath } from '../../api/errors/api-error.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { type Result, valueResult } from '../result.ts';
import { existing } from '../verbs/get.ts';

/**
 * GET of `nodes/<name>/proxy/stats/summary`: the kubelet's summary of what the node and its Pods use. No other path of a
 * kubelet is served. Throws NotFound, or ServiceUnavailable if the node agent cannot be reached.
 */
export async function nodeProxy(server: ServerContext, request: ResourceRequest): Promise<Result> {
	existing(request);
	if (request.rest !== 'stats/summary') throw unknownPath();
	const usage = await server.nodeApi(request.name)?.usage();
	if (!usage) throw serviceUnavailable(`the node "${request.name}" cannot be reached`);
	const pods = (server.cache.of('', 'pods')?.all() ?? []).map(({ object }) => object).filter(isPod);
	const byPod = Map.groupBy(usage.containers, ({ podUid }) => podUid);
	const { at, cpuNanoCores, cpuNanoseconds, workingSetBytes, memoryAvailableBytes } = usage.machine;
	return valueResult(200, {
		node: {
			nodeName: request.name,
			cpu: { time: formatTime(at), usageNanoCores: cpuNanoCores, usageCoreNanoSeconds: cpuNanoseconds },
			memory: { time: formatTime(at), availableBytes: memoryAvailableBytes, workingSetBytes },
		},
		pods: pods.flatMap((pod) => podSummary(pod, byPod.get(pod.metadata.uid ?? '') ?? [])),
	});
}

type Used = ContainerUsage & RatedUsage;

function podSummary({ metadata, status }: Pod, used: readonly Used[]): readonly object[] {
	if (used.length === 0) return [];
	const { name = '', namespace = '', uid = '' } = metadata;
	const total = (of: (container: Used) => number): number =>
		used.reduce((sum, container) => sum + of(container), 0);
	const time = formatTime(Math.max(...used.map(({ at }) => at)));
	return [
		{
			podRef: { name, namespace, uid },
			startTime: status.startTime ?? null,
			containers: used.map((container) => ({ name: container.name, ...amounts(container) })),
			cpu: {
				time,
				usageNanoCores: total(({ cpuNanoCores }) => cpuNanoCores),
				usageCoreNanoSeconds: total(({ cpuNanoseconds }) => cpuNanoseconds),
			},
			memory: {
				time,
				usageBytes: total(({ memoryBytes }) => memoryBytes),
				workingSetBytes: total(({ workingSetBytes }) => workingSetBytes),
			},
			process_stats: { process_count: total(({ processes }) => processes) },
		},
	];
}

function amounts(container: Used): object {
	const time = formatTime(container.at);
	const { cpuNanoCores, cpuNanoseconds, memoryBytes, workingSetBytes } = container;
	return {
		cpu: { time, usageNanoCores: cpuNanoCores, usageCoreNanoSeconds: cpuNanoseconds },
		memory: { time, usageBytes: memoryBytes, workingSetBytes },
		rootfs: { time, usedBytes: container.writableLayerBytes },
	};
}
