import type { EngineRuntimeOptions } from '../../engines/engine-runtime.ts';
import { type EngineMachine, openEngineMachine } from '../../engines/testing/engine-machine.ts';
import { CriRuntime } from '../cri-runtime.ts';
import type { Containerd } from './containerd.ts';

/** A machine whose containers containerd runs. */
export type CriHarness = EngineMachine<CriRuntime>;

/** Opens a machine; containerd has the image `known` already. */
export function openCriMachine(
	containerd: Containerd,
	known: string,
	settings: Pick<EngineRuntimeOptions, 'logMaxBytes' | 'maxPids'> = {},
): CriHarness {
	const runtimeWith = (options: EngineRuntimeOptions): CriRuntime =>
		new CriRuntime({ ...options, ...settings });
	return openEngineMachine({ daemon: containerd, known, runtimeWith });
}
