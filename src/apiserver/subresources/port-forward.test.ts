import { portsContract } from '../testing/ports-contract-suite.ts';

portsContract('ports in this process', async ({ server }) => ({ transport: server, close: async () => {} }));
