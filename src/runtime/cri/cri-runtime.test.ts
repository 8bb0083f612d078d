import { after, test } from 'node:test';
import { runtimeContract } from '../testing/contract-suite.ts';
import { missingForContainerd } from './testing/containerd.ts';
import { criCases } from './testing/cri-cases.ts';
import { CriFixture } from './testing/cri-fixture.ts';
import { openCriMachine } from './testing/cri-harness.ts';

const missing = missingForContainerd();
if (missing !== undefined) test('containers of containerd', { skip: missing }, () => undefined);
else {
	const fixture = new CriFixture();
	after(() => fixture.close());
	runtimeContract('containers of containerd', async () => {
		const { containerd, known } = await fixture.open();
		return openCriMachine(containerd, known);
	});
	criCases(fixture);
}
