import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import type { Container, Pod } from '../../../api/core/pod/schema.ts';
import type { InputValues } from '../inputs/values.ts';
import type { NodeFacts } from './downward.ts';
import { Expansion, environmentOf, type Variable } from './environment.ts';
import { devicesOf, mountsOf } from './mounts.ts';
import { oomScoreAdjOf } from './oom-score.ts';
import { resourcesOf } from './resources.ts';
import { podLabelsOf } from './sandbox-config.ts';
import { containerSecurityOf } from './security.ts';

/** What the configuration of a container depends on beside its Pod. */
export interface ContainerFacts {
	readonly attempt: number;
	readonly logPath: string;
	/** The id of the container that an ephemeral container targets. */
	readonly targetContainerId?: string;
	/** The file of the host for the termination message; empty if the runtime does not mount it. */
	readonly messageFile: string;
	readonly node: NodeFacts;
	/** The variables of Services; see service-variables.ts. */
	readonly services: readonly Variable[];
	/** The values of the inputs (see inputs/needs.ts); undefined on a node without a source of inputs. */
	readonly values: InputValues | undefined;
}

/**
 * The configuration of a container attempt (upstream: `generateContainerConfig` in kuberuntime_container.go): all that
 * the Pod says about the container, with variables expanded and references resolved. Throws InputError, whose message
 * is upstream's, if a value is missing; throws if the expanded texts get too long.
 */
export function containerConfigOf(pod: Pod, container: Container, facts: ContainerFacts): ContainerConfig {
	// One for all texts of the container: they share its limit.
	const expansion = new Expansion();
	const { node, services, values } = facts;
	const env = environmentOf(pod, container, { facts: node, expansion, services, values });
	const { volumes, hostsFile, resolvConf } = values ?? {};
	const variables = new Map(env.map(({ name, value }) => [name, value]));
	return {
		name: container.name,
		attempt: facts.attempt,
		image: container.image ?? '',
		command: (container.command ?? []).map((part) => expansion.expand(part, variables)),
		args: (container.args ?? []).map((part) => expansion.expand(part, variables)),
		env,
		workingDir: container.workingDir ?? '',
		stdin: container.stdin ?? false,
		stdinOnce: container.stdinOnce ?? false,
		tty: container.tty ?? false,
		targetContainerId: facts.targetContainerId,
		resources: resourcesOf(container.resources),
		oomScoreAdj: oomScoreAdjOf(pod, container, node.allocatable.memory ?? '0'),
		security: containerSecurityOf(pod.spec, container),
		mounts: volumes ? mountsOf(container, { volumes, hostsFile, resolvConf, expansion, variables }) : [],
		devices: volumes ? devicesOf(container, volumes) : [],
		terminationMessagePath: container.terminationMessagePath ?? '',
		terminationMessageFile: facts.messageFile,
		stopSignal: container.lifecycle?.stopSignal,
		labels: { ...podLabelsOf(pod), 'io.kubernetes.container.name': container.name },
		annotations: annotationsOf(pod, container, facts.attempt),
		logPath: facts.logPath,
	};
}

/** The annotations with which the kubelet marks a container (labels.go), without those that only it reads itself. */
function annotationsOf(
	{ spec }: Pod,
	container: Container,
	attempt: number,
): Readonly<Record<string, string>> {
	const { terminationGracePeriodSeconds: grace } = spec;
	return {
		'io.kubernetes.container.restartCount': String(attempt),
		'io.kubernetes.container.terminationMessagePath': container.terminationMessagePath ?? '',
		'io.kubernetes.container.terminationMessagePolicy': container.terminationMessagePolicy ?? '',
		...(grace !== undefined && { 'io.kubernetes.pod.terminationGracePeriod': String(grace) }),
	};
}
