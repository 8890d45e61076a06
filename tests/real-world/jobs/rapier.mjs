import RAPIER from "@dimforge/rapier3d-compat";
import { done, loaded } from "./engine.mjs";
await RAPIER.init();
loaded();
const world = new RAPIER.World({ x: 0, y: -9.81, z: 0 });
world.createCollider(RAPIER.ColliderDesc.cuboid(50, 0.1, 50));
const bodies = [];
for (let i = 0; i < 300; i++) {
  const body = world.createRigidBody(RAPIER.RigidBodyDesc.dynamic().setTranslation((i % 7) * 0.9, 1 + Math.floor(i / 7), ((i * 3) % 5) * 0.9));
  world.createCollider(i % 2 ? RAPIER.ColliderDesc.ball(0.5) : RAPIER.ColliderDesc.cuboid(0.4, 0.4, 0.4), body);
  bodies.push(body);
}
for (let step = 0; step < 120; step++) world.step();
done(bodies.map((body) => [body.translation(), body.rotation(), body.linvel()]));
