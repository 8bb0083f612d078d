import { after, test } from 'node:test';
import { runtimeContract } from '../../testing/contract-suite.ts';
import { engineCases } from './engine-cases.ts';
import { type EngineDaemon, missingFor } from './engine-daemon.ts';
import { EngineFixture } from './engine-fixture.ts';
import { openMachine } from './engine-harness.ts';

/** Registers the tests of the contract, and those of all engines, for one that they start; skipped where it is missing. */
export function engineContract(name: EngineDaemon['name']): void {
	const missing = missingFor(name);
	if (missing !== undefined) {
		test(`containers of ${name}`, { skip: missing }, () => undefined);
		return;
	}
	const fixture = new EngineFixture(name);
	after(() => fixture.close());
	runtimeContract(`containers of ${name}`, async () => {
		const { engine, known } = await fixture.open();
		return openMachine(engine, known);
	});
	engineCases(name, fixture);
}
