import type { Container, Pod } from '../api/core/pod/schema.ts';
import { formatGoDuration } from '../api/meta/go-duration-text.ts';
import { quantityMilliValue, quantityValue } from '../api/meta/quantity.ts';
import type { Clock } from '../base/clock.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import type { HoldBack } from '../plan/pod/fields/field-rules.ts';
import type { ContainerStart } from '../plan/pod/plan.ts';
import { fieldPathOf } from '../plan/pod/snapshot.ts';
import { Expansion, environmentOf, type NodeFacts } from './environment.ts';
import type { Failure } from './hindrances.ts';
import type { LogFiles } from './log-files.ts';
import {
	type ContainerConfig,
	ContainerStartError,
	ImageError,
	type Runtime,
	RuntimeBusy,
	RuntimeUnavailable,
} from './runtime/runtime.ts';
import type { RuntimeView } from './runtime-view.ts';

/** When a container is tried again that the machine had too little of something for; the runtime waits a second itself. */
const BUSY_RETRY_MS = 500;

/** What a {@link ContainerStarter} works with. */
export interface ContainerStarterOptions {
	readonly clock: Clock;
	readonly runtime: Runtime;
	readonly view: RuntimeView;
	readonly logs: LogFiles;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** What the node has, for limits that are not set. */
	readonly allocatable: Readonly<Record<string, string>>;
	readonly hostIP: string;
	readonly onError: (key: string, error: unknown) => void;
}

/** Takes a container from its image to its start, with the kubelet's events on the way. */
export class ContainerStarter {
	readonly #options: ContainerStarterOptions;

	constructor(options: ContainerStarterOptions) {
		this.#options = options;
	}

	/** Starts one attempt; resolves to why it could not be started, or to undefined. */
	async start(pod: Pod, { container, attempt, heldBack }: ContainerStart): Promise<Failure | undefined> {
		const { runtime, view } = this.#options;
		const sandbox = view.sandboxOf(pod.metadata.uid ?? '');
		if (!sandbox) return { reason: 'CreateContainerError', message: 'the sandbox of the Pod is gone' };
		const isMade = this.#isMade(pod, container, attempt);
		try {
			if (!isMade) await this.#pull(pod, container);
			if (heldBack) return this.#holdBack(pod, container, heldBack);
			const config = this.#configure(pod, container, { attempt, podIP: sandbox.ip });
			// Where it was made before, this only makes sure that the runtime has not lost it.
			const created = await runtime.createContainer(sandbox.id, config);
			view.noteContainer(created);
			if (created.state !== 'created') return undefined;
			if (!isMade) this.#tell(pod, container, 'Normal', 'Created', 'Container created');
			view.noteContainer(await runtime.startContainer(created.id));
			this.#tell(pod, container, 'Normal', 'Started', 'Container started');
			return undefined;
		} catch (error) {
			if (error instanceof RuntimeBusy) return this.#wait(pod, container, { isMade, why: error.message });
			return this.#failure(pod, container, error);
		}
	}

	/** True if the attempt was made, and not started since the machine had too little of something. */
	#isMade(pod: Pod, { name }: Container, attempt: number): boolean {
		const attempts = this.#options.view.attemptsOf(pod.metadata.uid ?? '').get(name) ?? [];
		return attempts.some((each) => each.attempt === attempt && each.state === 'created');
	}

	#wait(pod: Pod, container: Container, how: { readonly isMade: boolean; readonly why: string }): Failure {
		const message = `${how.why}; it is tried again`;
		// Told once: it may be tried hundreds of times.
		if (!how.isMade) this.#tell(pod, container, 'Warning', 'Failed', `Error: ${message}`);
		return { reason: 'ContainerCreating', message, retryAfterMs: BUSY_RETRY_MS };
	}

	/** As a kubelet does where it cannot make the configuration of a container; the hints are ours. */
	#holdBack(pod: Pod, container: Container, { message, hints }: HoldBack): Failure {
		const text = hints === message ? message : `${message}; ${hints}`;
		this.#tell(pod, container, 'Warning', 'Failed', `Error: ${text}`);
		return { reason: 'CreateContainerConfigError', message };
	}

	/** Makes sure that the image is there, by the container's pull policy, with the events of image_manager.go. */
	async #pull(pod: Pod, container: Container): Promise<void> {
		const { runtime, clock } = this.#options;
		const { image = '', imagePullPolicy } = container;
		const present = await this.#imageStatus(pod, container);
		if (present && imagePullPolicy !== 'Always') {
			const message = `Container image "${image}" already present on machine and can be accessed by the pod`;
			this.#tell(pod, container, 'Normal', 'Pulled', message);
			return;
		}
		if (imagePullPolicy === 'Never') {
			const message = `Container image "${image}" is not present with pull policy of Never`;
			this.#tell(pod, container, 'Warning', 'ErrImageNeverPull', message);
			throw new ImageError('ErrImageNeverPull', message);
		}
		this.#tell(pod, container, 'Normal', 'Pulling', `Pulling image "${image}"`);
		const startedAt = clock.monotonic();
		try {
			const { sizeBytes } = await runtime.pullImage(image, container);
			// There is one pull at a time for a Pod, and no queue: waiting is part of neither figure.
			const took = formatGoDuration(clock.monotonic() - startedAt);
			const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${sizeBytes} bytes.`;
			this.#tell(pod, container, 'Normal', 'Pulled', message);
		} catch (error) {
			const message = error instanceof Error ? error.message : String(error);
			this.#tell(pod, container, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
			throw error;
		}
	}

	/** What the runtime has of the image. A name that says nothing is told before anything is pulled. */
	async #imageStatus(pod: Pod, container: Container): Promise<object | undefined> {
		const { image = '' } = container;
		try {
			return await this.#options.runtime.imageStatus(image, container);
		} catch (error) {
			if (error instanceof ImageError) this.#tell(pod, container, 'Warning', 'InspectFailed', error.message);
			throw error;
		}
	}

	#configure(pod: Pod, container: Container, more: { attempt: number; podIP: string }): ContainerConfig {
		const { logs, allocatable, hostIP } = this.#options;
		const facts: NodeFacts = { allocatable, hostIP, podIP: more.podIP };
		const expansion = new Expansion();
		const env = environmentOf(pod, container, { facts, expansion });
		const values = new Map(env.map(({ name, value }) => [name, value]));
		const { memory, cpu } = container.resources?.limits ?? {};
		return {
			name: container.name,
			attempt: more.attempt,
			image: container.image ?? '',
			command: (container.command ?? []).map((part) => expansion.expand(part, values)),
			args: (container.args ?? []).map((part) => expansion.expand(part, values)),
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

	#failure(pod: Pod, container: Container, error: unknown): Failure | undefined {
		if (error instanceof ImageError) {
			this.#tell(pod, container, 'Warning', 'Failed', `Error: ${error.reason}`);
			return { reason: error.reason, message: error.message };
		}
		if (error instanceof RuntimeUnavailable) throw error;
		if (!(error instanceof ContainerStartError)) return this.#unexpected(pod, container, error);
		this.#tell(pod, container, 'Warning', 'Failed', `Error: ${error.message}`);
		// Its end has been told as an exit with StartError, and is dealt with like any other end.
		if (error.reason === 'RunContainerError') return undefined;
		return { reason: error.reason, message: error.message };
	}

	/** The runtime failed in a way that it has no name for, such as a full disk: the Pod says so, and so does the log. */
	#unexpected(pod: Pod, container: Container, error: unknown): Failure {
		const message = error instanceof Error ? error.message : String(error);
		this.#tell(pod, container, 'Warning', 'Failed', `Error: ${message}`);
		this.#options.onError(pod.metadata.uid ?? '', error);
		return { reason: 'CreateContainerError', message };
	}

	#tell(pod: Pod, { name }: Container, type: 'Normal' | 'Warning', reason: string, message: string): void {
		this.#options.recorder.event(pod, { type, reason, message, fieldPath: fieldPathOf(pod, name) });
	}
}
