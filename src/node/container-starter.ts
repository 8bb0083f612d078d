import type { Container, Pod } from '../api/core/pod/schema.ts';
import { quantityMilliValue, quantityValue } from '../api/meta/quantity.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { ContainerStart } from '../plan/pod/plan.ts';
import { environmentOf, expand, type NodeFacts } from './environment.ts';
import type { LogFiles } from './log-files.ts';
import { type ContainerConfig, ContainerStartError, ImageError, type Runtime } from './runtime/runtime.ts';
import type { RuntimeView } from './runtime-view.ts';

/** What kept a container from being started, in the words of its waiting state. */
export interface StartFailure {
	readonly reason: string;
	readonly message: string;
}

/** What a {@link ContainerStarter} works with. */
export interface ContainerStarterOptions {
	readonly runtime: Runtime;
	readonly view: RuntimeView;
	readonly logs: LogFiles;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** What the node has, for limits that are not set. */
	readonly allocatable: Readonly<Record<string, string>>;
	readonly hostIP: string;
}

/** Takes a container from its image to its start, with the kubelet's events on the way. */
export class ContainerStarter {
	readonly #options: ContainerStarterOptions;

	constructor(options: ContainerStarterOptions) {
		this.#options = options;
	}

	/** Starts one attempt; resolves to why it could not be started, or to undefined. */
	async start(pod: Pod, { container, attempt }: ContainerStart): Promise<StartFailure | undefined> {
		const { runtime, view } = this.#options;
		const sandbox = view.sandboxOf(pod.metadata.uid ?? '');
		if (!sandbox) return { reason: 'CreateContainerError', message: 'the sandbox of the Pod is gone' };
		try {
			await this.#pull(pod, container);
			const config = this.#configure(pod, container, { attempt, podIP: sandbox.ip });
			const created = await runtime.createContainer(sandbox.id, config);
			view.noteContainer(created);
			if (created.state !== 'created') return undefined;
			this.#tell(pod, container, 'Normal', 'Created', `Created container: ${container.name}`);
			view.noteContainer(await runtime.startContainer(created.id));
			this.#tell(pod, container, 'Normal', 'Started', `Started container ${container.name}`);
			return undefined;
		} catch (error) {
			return this.#failure(pod, container, error);
		}
	}

	/** Sees that the image is there, by the container's pull policy. */
	async #pull(pod: Pod, container: Container): Promise<void> {
		const { runtime } = this.#options;
		const { image = '', imagePullPolicy } = container;
		const present = imagePullPolicy === 'Always' ? undefined : await runtime.imageStatus(image, container);
		if (present) {
			this.#tell(pod, container, 'Normal', 'Pulled', `Container image "${image}" already present on machine`);
			return;
		}
		if (imagePullPolicy === 'Never') {
			const message = `Container image "${image}" is not present with pull policy of Never`;
			throw new ImageError('ErrImageNeverPull', message);
		}
		try {
			await runtime.pullImage(image, container);
		} catch (error) {
			const message = error instanceof Error ? error.message : String(error);
			this.#tell(pod, container, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
			throw error;
		}
		this.#tell(pod, container, 'Normal', 'Pulled', `Successfully pulled image "${image}"`);
	}

	#configure(pod: Pod, container: Container, more: { attempt: number; podIP: string }): ContainerConfig {
		const { logs, allocatable, hostIP } = this.#options;
		const facts: NodeFacts = { allocatable, hostIP, podIP: more.podIP };
		const env = environmentOf(pod, container, facts);
		const values = new Map(env.map(({ name, value }) => [name, value]));
		const { memory, cpu } = container.resources?.limits ?? {};
		return {
			name: container.name,
			attempt: more.attempt,
			image: container.image ?? '',
			command: (container.command ?? []).map((part) => expand(part, values)),
			args: (container.args ?? []).map((part) => expand(part, values)),
			env,
			workingDir: container.workingDir ?? '',
			logPath: logs.pathOf(pod, container.name, more.attempt),
			stdin: container.stdin ?? false,
			tty: container.tty ?? false,
			resources: {
				...(memory !== undefined && { memoryLimitBytes: quantityValue(memory) }),
				...(cpu !== undefined && { cpuLimitMillis: quantityMilliValue(cpu) }),
			},
		};
	}

	#failure(pod: Pod, container: Container, error: unknown): StartFailure | undefined {
		if (error instanceof ImageError) {
			this.#tell(pod, container, 'Warning', 'Failed', `Error: ${error.reason}`);
			return { reason: error.reason, message: error.message };
		}
		if (!(error instanceof ContainerStartError)) throw error;
		this.#tell(pod, container, 'Warning', 'Failed', `Error: ${error.message}`);
		// Its end has been told as an exit with StartError, and is dealt with like any other end.
		if (error.reason === 'RunContainerError') return undefined;
		return { reason: error.reason, message: error.message };
	}

	#tell(pod: Pod, { name }: Container, type: 'Normal' | 'Warning', reason: string, message: string): void {
		this.#options.recorder.event(pod, { type, reason, message, fieldPath: fieldPathOf(pod, name) });
	}
}

/** Where a container stands in its Pod, as events about it say. */
export function fieldPathOf({ spec: { containers } }: Pod, name: string): string {
	const list = containers.some((each) => each.name === name) ? 'containers' : 'initContainers';
	return `spec.${list}{${name}}`;
}
