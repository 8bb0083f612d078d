import { type EngineMachine, openEngineMachine } from '../../engines/testing/engine-machine.ts';
import { DockerRuntime } from '../docker-runtime.ts';
import type { EngineDaemon } from './engine-daemon.ts';

/** A machine whose containers an engine with the API of Docker runs. */
export type EngineHarness = EngineMachine<DockerRuntime>;

/** Opens a machine on the engine; the image `known` is there already. */
export function openMachine(engine: EngineDaemon, known: string): EngineHarness {
	return openEngineMachine({
		daemon: engine,
		known,
		runtimeWith: (options) => new DockerRuntime(options),
	});
}
