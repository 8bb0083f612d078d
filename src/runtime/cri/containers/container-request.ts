/** What a runtime of the CRI is asked to create for a container. Pure. */
import type { ContainerConfig, ContainerResources } from '../../../api/contract/container-config.ts';
import { attempt } from '../../../base/attempt.ts';
import { cpuAmounts } from '../../cpu-amounts.ts';
import { FACTS_KEY, factsText, type LabelledFacts, readFacts } from '../../engines/container-facts.ts';
import { FOLDER_LABEL, OWNER_LABEL, type Owner } from '../../engines/owner.ts';
import { valueAt } from '../../json-values.ts';
import {
	type CriContainerConfig,
	type CriMount,
	NAMESPACE,
	type PodSandboxConfig,
} from '../client/cri-messages.ts';
import type { Given, Read } from '../client/message.ts';
import { type CriImageUser, securityRequest } from './security-request.ts';

/** The annotation with the streams of a container, which the runtime does not tell. */
const STREAMS_KEY = 'stint.io/streams';

/** The streams of a container, on which `attach` depends. */
export interface CriStreams {
	readonly tty: boolean;
	readonly stdin: boolean;
	readonly stdinOnce: boolean;
}

/** What the runtime keeps about a container of a server. */
export interface KeptContainer {
	readonly facts: LabelledFacts;
	readonly streams: CriStreams;
}

/** What the annotations of a container keep; undefined if it is not one of a server. */
export function readContainer(annotations: Readonly<Record<string, string>>): KeptContainer | undefined {
	const facts = readFacts(annotations[FACTS_KEY] ?? '');
	const kept: unknown = attempt(() => JSON.parse(annotations[STREAMS_KEY] ?? ''));
	const has = (name: string): boolean => valueAt(kept, name) === true;
	return facts && { facts, streams: { tty: has('tty'), stdin: has('stdin'), stdinOnce: has('stdinOnce') } };
}

/** What the request depends on beside the configuration. */
export interface RequestFacts {
	readonly facts: LabelledFacts;
	readonly owner: Owner;
	readonly sandbox: Read<typeof PodSandboxConfig>;
	readonly mounts: readonly Given<typeof CriMount>[];
	/** The runtime's id of the image, and its user. */
	readonly image: CriImageUser & { readonly id: string };
	/** The runtime's id of the container whose processes this one sees. */
	readonly targetId?: string;
}

/** The configuration of a container as the CRI takes it. */
export function containerRequest(
	config: ContainerConfig,
	given: RequestFacts,
): Given<typeof CriContainerConfig> {
	const { command, args, env, workingDir, devices, labels, annotations, logPath } = config;
	const { stdin, stdinOnce, tty, resources, oomScoreAdj } = config;
	const { facts, owner, mounts, image } = given;
	return {
		metadata: { name: facts.name, attempt: facts.attempt },
		image: { image: image.id, userSpecifiedImage: config.image },
		command,
		args,
		workingDir,
		stdin,
		stdinOnce: stdin && stdinOnce,
		tty,
		mounts,
		envs: env.map(({ name, value }) => ({ key: name, value })),
		devices: devices.map(({ hostPath, containerPath, readOnly }) => ({
			hostPath,
			containerPath,
			permissions: readOnly ? 'mr' : 'mrw',
		})),
		labels: { ...labels, [OWNER_LABEL]: owner.id, [FOLDER_LABEL]: owner.folder },
		annotations: {
			...annotations,
			[FACTS_KEY]: factsText(facts),
			[STREAMS_KEY]: JSON.stringify({ tty, stdin, stdinOnce: stdin && stdinOnce }),
		},
		logPath: relativeToRoot(logPath),
		linux: {
			resources: { ...resourcesRequest(resources), oomScoreAdj },
			securityContext: {
				...securityRequest(config.security, image),
				namespaceOptions: namespacesFor(given),
			},
		},
	};
}

/** The directory of the logs of a sandbox is the root: see sandbox-request.ts. */
function relativeToRoot(path: string): string {
	return path.replace(/^\/+/, '');
}

/** The namespaces of the sandbox, or for one of them that of another container. */
function namespacesFor({
	sandbox,
	targetId,
}: RequestFacts): NonNullable<
	NonNullable<NonNullable<Given<typeof CriContainerConfig>['linux']>['securityContext']>['namespaceOptions']
> {
	const { network = 0, pid = 0, ipc = 0 } = sandbox.linux?.securityContext?.namespaceOptions ?? {};
	if (targetId !== undefined) return { network, pid: NAMESPACE.target, ipc, targetId };
	return { network, pid, ipc };
}

/** The resources as the CRI takes them. A limit of 0 means none at the creation. */
export function resourcesRequest(resources: ContainerResources): {
	readonly cpuPeriod: number;
	readonly cpuQuota: number;
	readonly cpuShares: number;
	readonly memoryLimitInBytes: number;
} {
	const { shares, period, quota } = cpuAmounts(resources);
	const { memoryBytes = 0 } = resources.limits;
	return { cpuPeriod: period, cpuQuota: quota, cpuShares: shares, memoryLimitInBytes: memoryBytes };
}
