import { done, loaded, require, sourceText } from "./engine.mjs";
const { SourceMapConsumer, SourceMapGenerator } = require("source-map");
loaded();
const generator = new SourceMapGenerator({ file: "out.js" });
for (let i = 0; i < 60000; i++) generator.addMapping({ generated: { line: 1 + (i >> 4), column: (i & 15) * 7 }, original: { line: 1 + (i % 9000), column: i % 80 }, source: `s${i % 11}.js`, name: `n${i % 97}` });
const found = await SourceMapConsumer.with(generator.toJSON(), null, (consumer) => {
  const list = [];
  for (let i = 0; i < 40000; i++) list.push(consumer.originalPositionFor({ line: 1 + (i % 3700), column: i % 100 }));
  let count = 0;
  consumer.eachMapping(() => count++);
  return [list, count, consumer.allGeneratedPositionsFor({ source: "s3.js", line: 50, column: 49 })];
});
done(found, sourceText.length);
